/** The addresses of a simulated CM id: resolving the peer's address and route, and binding to one of this host. */
import { type HostAddress, NettsError } from '@netts/core'
import { checkInteger } from '@netts/core/driver'
import type { ResolveOptions } from '../verbs/cm.js'
import type { Device } from '../verbs/device.js'
import { callError } from '../verbs/errors.js'
import { CmEventSource } from './cm-event-source.js'
import { DEFAULT_ACK_TIMEOUT, WILDCARDS } from './cm-parameters.js'

/** States of an id; from `connecting` on they are those of `cm-id.ts`. */
type CmState =
  | 'idle'
  | 'resolving'
  | 'address-resolved'
  | 'route-resolved'
  | 'bound'
  | 'listening'
  | 'connecting'
  | 'requested'
  | 'accepting'
  | 'established'
  | 'disconnecting'
  | 'disconnected'
  | 'ended'

/** The part of an id that resolves and binds addresses. */
export abstract class AddressedCmId extends CmEventSource {
  device: Device | undefined
  localAddress: HostAddress | undefined
  remoteAddress: HostAddress | undefined
  protected state: CmState = 'idle'
  protected ackTimeout = DEFAULT_ACK_TIMEOUT

  protected require(operation: string, ...states: readonly CmState[]): void {
    this.enter(operation)
    if (!states.includes(this.state)) {
      throw new NettsError(
        'ERR_NETTS_INVALID_STATE',
        `${operation} is not possible in the state '${this.state}'`,
        { operation },
      )
    }
  }

  #later(name: string, deliver: () => void): void {
    this.host.fabric.sendManagement(this.host, this.host, name, () => {
      if (!this.closed) deliver()
    })
  }

  resolveAddress({ destination, source, timeoutMs }: ResolveOptions): void {
    this.require('rdma_resolve_addr', 'idle', 'bound')
    checkInteger('timeoutMs', timeoutMs, 1, 0x7fffffff)
    this.state = 'resolving'
    this.#later('address resolution', () => {
      const found = this.host.fabric.hostAt(destination.host)
      if (!found || this.host.device.removed || (source && source.host !== this.host.address)) {
        this.state = 'ended'
        this.push({ type: 'address-error', status: found ? 'ENODEV' : 'EHOSTUNREACH' })
        return
      }
      this.state = 'address-resolved'
      this.device = this.host.device
      this.localAddress = { host: this.host.address, port: this.host.takePort() }
      this.remoteAddress = { host: destination.host, port: destination.port }
      this.push({ type: 'address-resolved' })
    })
  }

  resolveRoute(timeoutMs: number): void {
    this.require('rdma_resolve_route', 'address-resolved')
    checkInteger('timeoutMs', timeoutMs, 1, 0x7fffffff)
    this.state = 'resolving'
    this.#later('route resolution', () => {
      this.state = 'route-resolved'
      this.push({ type: 'route-resolved' })
    })
  }

  setAckTimeout(exponent: number): void {
    this.enter('rdma_set_option')
    checkInteger('exponent', exponent, 0, 31)
    this.ackTimeout = exponent
  }

  /** No effect: the simulated network has no priorities. */
  setTrafficClass(trafficClass: number): void {
    this.enter('rdma_set_option')
    checkInteger('trafficClass', trafficClass, 0, 255)
  }

  bindAddress({ host, port }: HostAddress): void {
    this.require('rdma_bind_addr', 'idle')
    if (!WILDCARDS.has(host) && host !== this.host.address) {
      throw callError('rdma_bind_addr', 'EADDRNOTAVAIL', { address: { host, port } })
    }
    checkInteger('port', port, 0, 65535)
    if (this.host.listeners.has(port))
      throw callError('rdma_bind_addr', 'EADDRINUSE', { address: { host, port } })
    this.state = 'bound'
    this.localAddress = { host, port: port === 0 ? this.host.takePort() : port }
    if (!WILDCARDS.has(host)) this.device = this.host.device
  }
}
