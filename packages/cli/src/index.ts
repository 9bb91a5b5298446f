/**
 * `@netts/cli`: what the command `netts` does, for programs.
 *
 * @packageDocumentation
 */
export { formatEndpoint, parseEndpoint, type Scheme, type TunnelEndpoint } from './endpoint.js'
export { openTunnel, type Tunnel, type TunnelOptions, type TunnelSide } from './tunnel.js'
