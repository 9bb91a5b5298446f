/** Ids of the connection manager, with the addon. */
import { type HostAddress, isPathAddress, NettsError } from '@netts/core'
import { checkAddress, checkInteger, invalidArgument } from '@netts/core/driver'
import type { CmEvent, CmId, ConnectionParameters, ResolveOptions } from '../verbs/cm.js'
import { PRIVATE_DATA_BYTES } from '../verbs/cm.js'
import type { Device } from '../verbs/device.js'
import type { QueuePair, QueuePairOptions } from '../verbs/queue-pair.js'
import { cmEventOf } from './cm-events.js'
import type { Receiver } from './dispatch.js'
import type { Environment, OpenDevice } from './environment.js'
import { attempt } from './failures.js'
import type { Created, Handle, NativeConnectionParameters } from './native-binding.js'
import { NativeObject } from './native-object.js'
import { AddonQueuePair } from './queue-pair.js'

const NO_DATA = new Uint8Array(0)

/** librdmacm takes milliseconds, and a backlog, as a C int. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** The state of an id. It is checked because librdmacm may crash when a function is called in the wrong state. */
type Step =
  | 'idle'
  | 'resolving'
  | 'address-resolved'
  | 'route-resolved'
  | 'bound'
  | 'listening'
  | 'requested'
  | 'connecting'
  | 'accepting'
  | 'rejected'

export class AddonCmId extends NativeObject implements CmId, Receiver {
  #onEvent: ((event: CmEvent) => void) | undefined
  #queuePair: AddonQueuePair | undefined
  #knownDevice: OpenDevice | undefined
  #deliveryScheduled = false
  #step: Step

  constructor(environment: Environment, created: Created, step: 'idle' | 'requested') {
    super(environment, created, 'the connection id')
    this.#step = step
  }

  get onEvent(): ((event: CmEvent) => void) | undefined {
    return this.#onEvent
  }

  set onEvent(callback: ((event: CmEvent) => void) | undefined) {
    this.#onEvent = callback
    if (this.closed) return
    this.environment.dispatch.set(this.serial, callback === undefined ? undefined : this)
    if (callback !== undefined) this.#scheduleDelivery()
  }

  /** Events that came while there was no callback are delivered from the event loop. */
  #scheduleDelivery(): void {
    if (this.#deliveryScheduled) return
    this.#deliveryScheduled = true
    setImmediate(() => {
      this.#deliveryScheduled = false
      this.dispatch()
    })
  }

  dispatch(): void {
    // Each callback may close this id, or take the callback away.
    while (!this.closed && this.#onEvent !== undefined) {
      const event = this.#next()
      if (event === undefined) return
      let threw = true
      try {
        this.#onEvent(event)
        threw = false
      } finally {
        // The exception goes to the program, and the events after this one are still delivered.
        if (threw) this.#scheduleDelivery()
      }
    }
  }

  #next(): CmEvent | undefined {
    for (;;) {
      const native = this.environment.binding.nextCmEvent(this.use())
      if (native === undefined) return undefined
      const iwarp = this.device?.transport === 'iwarp'
      const event = cmEventOf(
        native,
        iwarp,
        () => new AddonCmId(this.environment, native.request!, 'requested'),
      )
      if (event?.type === 'device-removal') this.#device()?.depart()
      if (event?.type === 'address-resolved' || event?.type === 'route-resolved') this.#step = event.type
      if (event !== undefined) return event
    }
  }

  get device(): Device | undefined {
    return this.closed ? undefined : this.#device()
  }

  /** Looked up once: an id stays on its device, also when another device of the same name takes its place. */
  #device(): OpenDevice | undefined {
    if (this.#knownDevice === undefined) {
      const found = this.environment.binding.cmDevice(this.use())
      if (found !== undefined) this.#knownDevice = this.environment.deviceOf(found)
    }
    return this.#knownDevice
  }

  get queuePair(): QueuePair | undefined {
    return this.#queuePair
  }

  get localAddress(): HostAddress | undefined {
    return this.closed ? undefined : this.environment.binding.cmLocalAddress(this.use())
  }

  get remoteAddress(): HostAddress | undefined {
    return this.closed ? undefined : this.environment.binding.cmRemoteAddress(this.use())
  }

  resolveAddress({ destination, source, timeoutMs }: ResolveOptions): void {
    const to = hostAddress(destination, 'connect')
    const from = source === undefined ? undefined : hostAddress(source, 'listen')
    checkInteger('timeoutMs', timeoutMs, 1, MAX_TIMEOUT_MS)
    this.#require('rdma_resolve_addr', 'idle', 'bound')
    const { binding } = this.environment
    this.#call(
      (id) => binding.resolveAddress(id, to.host, to.port, from?.host, from?.port ?? 0, timeoutMs),
      to,
    )
    this.#step = 'resolving'
  }

  resolveRoute(timeoutMs: number): void {
    checkInteger('timeoutMs', timeoutMs, 1, MAX_TIMEOUT_MS)
    this.#require('rdma_resolve_route', 'address-resolved')
    this.#call((id) => this.environment.binding.resolveRoute(id, timeoutMs))
    this.#step = 'resolving'
  }

  setAckTimeout(exponent: number): void {
    checkInteger('exponent', exponent, 0, 31)
    this.#call((id) => this.environment.binding.setAckTimeout(id, exponent))
  }

  setTrafficClass(trafficClass: number): void {
    checkInteger('trafficClass', trafficClass, 0, 255)
    this.#call((id) => this.environment.binding.setTrafficClass(id, trafficClass))
  }

  createQueuePair(options: QueuePairOptions): QueuePair {
    const handle = this.use()
    const device = this.#device()
    if (device === undefined) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', 'the id has no device before its address is resolved')
    }
    if (this.#queuePair !== undefined && !this.#queuePair.closed) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', 'the id has a queue pair already')
    }
    this.#queuePair = new AddonQueuePair(device, handle, options)
    return this.#queuePair
  }

  connect(parameters: ConnectionParameters = {}): void {
    const native = connectionParameters(parameters, 'connect')
    this.#require('rdma_connect', 'route-resolved')
    this.#requireQueuePair('rdma_connect')
    this.#call((id) => this.environment.binding.connect(id, native))
    this.#step = 'connecting'
  }

  bindAddress(address: HostAddress): void {
    const { host, port } = hostAddress(address, 'listen')
    this.#require('rdma_bind_addr', 'idle')
    this.#call((id) => this.environment.binding.bindAddress(id, host, port), address)
    this.#step = 'bound'
  }

  listen(backlog: number): void {
    checkInteger('backlog', backlog, 1, MAX_TIMEOUT_MS)
    this.#require('rdma_listen', 'bound')
    this.#call((id) => this.environment.binding.listen(id, backlog))
    this.#step = 'listening'
  }

  accept(parameters: ConnectionParameters = {}): void {
    const native = connectionParameters(parameters, 'accept')
    this.#require('rdma_accept', 'requested')
    this.#requireQueuePair('rdma_accept')
    this.#call((id) => this.environment.binding.accept(id, native))
    this.#step = 'accepting'
  }

  reject(privateData: Uint8Array = NO_DATA): void {
    checkPrivateData(privateData, 'reject')
    this.#require('rdma_reject', 'requested')
    this.#call((id) => this.environment.binding.reject(id, privateData))
    this.#step = 'rejected'
  }

  notifyEstablished(): void {
    this.environment.binding.notifyEstablished(this.use())
  }

  disconnect(): void {
    this.environment.binding.disconnect(this.use())
  }

  ref(): void {
    if (!this.closed) this.environment.binding.setCmRef(this.use(), true)
  }

  unref(): void {
    if (!this.closed) this.environment.binding.setCmRef(this.use(), false)
  }

  #require(operation: string, ...steps: readonly Step[]): void {
    this.use()
    if (steps.includes(this.#step)) return
    throw new NettsError(
      'ERR_NETTS_INVALID_STATE',
      `${operation} is not possible in the state '${this.#step}'`,
      { operation },
    )
  }

  #requireQueuePair(operation: string): void {
    if (this.#queuePair !== undefined && !this.#queuePair.closed) return
    throw new NettsError('ERR_NETTS_INVALID_STATE', 'there is no queue pair', { operation })
  }

  #call<T>(call: (handle: Handle) => T, address?: HostAddress): T {
    return attempt(() => call(this.use()), { address, device: this.device?.name })
  }

  override close(): void {
    this.#queuePair?.close()
    super.close()
  }
}

function hostAddress(address: HostAddress, operation: 'connect' | 'listen'): HostAddress {
  const checked = checkAddress(address, operation)
  if (isPathAddress(checked)) throw invalidArgument('RDMA addresses are { host, port }, not paths', operation)
  return checked
}

function checkPrivateData(data: Uint8Array, message: keyof typeof PRIVATE_DATA_BYTES): void {
  if (!(data instanceof Uint8Array)) throw invalidArgument('privateData must be a Uint8Array', message)
  const most = PRIVATE_DATA_BYTES[message]
  if (data.byteLength > most) {
    throw invalidArgument(`privateData has ${data.byteLength} bytes, more than the ${most} that fit`, message)
  }
}

function connectionParameters(
  parameters: ConnectionParameters,
  message: 'connect' | 'accept',
): NativeConnectionParameters {
  const {
    privateData,
    responderResources = 1,
    initiatorDepth = 1,
    retryCount = 7,
    rnrRetryCount = 6,
  } = parameters
  if (privateData !== undefined) checkPrivateData(privateData, message)
  checkInteger('responderResources', responderResources, 0, 255)
  checkInteger('initiatorDepth', initiatorDepth, 0, 255)
  checkInteger('retryCount', retryCount, 0, 7)
  checkInteger('rnrRetryCount', rnrRetryCount, 0, 7)
  return { privateData, responderResources, initiatorDepth, retryCount, rnrRetryCount }
}
