/**
 * `@netts/cli`: the tunnel of the command `netts`, for programs.
 *
 * @packageDocumentation
 */
export { formatEndpoint, parseEndpoint, type Scheme, type TunnelEndpoint } from './endpoint.js'
export { openTunnel, type Tunnel, type TunnelOptions, type TunnelSide } from './tunnel.js'
