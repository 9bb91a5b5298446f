/** What an endpoint takes from its device, step by step. When a step fails, those before it are undone. */
import { NettsError } from '@netts/core'
import type { CmId } from '../verbs/cm.js'
import type { DeviceEvent } from '../verbs/device.js'
import type { QueuePair } from '../verbs/queue-pair.js'
import type { Verbs } from '../verbs/verbs.js'
import type { CompletionSink } from './completion-dispatch.js'
import type { CompletionLoop } from './completion-loop.js'
import type { SharedQueue } from './completion-queues.js'
import { DeviceEnvironment } from './device-environment.js'
import type { EndpointOptions } from './endpoint-session.js'
import type { KeepAliveRounds } from './keep-alive.js'
import { ReadyExchange } from './ready-exchange.js'

/** The endpoint's own send work requests; the number is that of the record, counted from the end of the driver's. */
export const OwnSend = { ready: 0, keepAlive: 1, drainMarker: 2, confirmation: 3 } as const
/** The endpoint's own receives, numbered in the same way. */
export const OwnReceive = { ready: 0, drainMarker: 1 } as const

/** A queue pair on the shared queues of its device, with the memory for its handshake. */
export class EndpointResources {
  readonly environment: DeviceEnvironment
  readonly loop: CompletionLoop
  readonly keepAliveRounds: KeepAliveRounds
  readonly queuePair: QueuePair
  readonly ready: ReadyExchange
  readonly #shared: SharedQueue
  readonly #workRequests: number

  /**
   * @param id whose device is known; the caller closes it when this throws
   * @throws NettsError for what cannot be had; nothing stays open
   */
  constructor(verbs: Verbs, id: CmId, options: EndpointOptions) {
    const { device } = id
    if (!device) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', 'the id has no device yet', { operation: 'connect' })
    }
    const maxSendWorkRequests = options.maxSendWorkRequests + Object.keys(OwnSend).length
    const maxReceiveWorkRequests = options.maxReceiveWorkRequests + Object.keys(OwnReceive).length
    this.#workRequests = maxSendWorkRequests + maxReceiveWorkRequests
    const undo: (() => void)[] = []
    try {
      const environment = DeviceEnvironment.acquire(verbs, device)
      undo.push(() => environment.release())
      const loop = environment.acquireLoop(options.polling)
      undo.push(() => environment.releaseLoop(loop))
      const shared = loop.reserve(this.#workRequests)
      undo.push(() => loop.retire(shared, this.#workRequests, undefined))
      const queuePair = id.createQueuePair({
        protectionDomain: environment.protectionDomain,
        sendCompletionQueue: shared.queue,
        maxSendWorkRequests,
        maxReceiveWorkRequests,
        maxSendEntries: Math.max(1, options.maxSendEntries),
        maxReceiveEntries: Math.max(1, options.maxReceiveEntries),
        maxInlineBytes: options.maxInlineBytes,
      })
      undo.push(() => queuePair.close())
      this.ready = new ReadyExchange(environment)
      this.environment = environment
      this.loop = loop
      this.keepAliveRounds = environment.keepAliveRounds(options)
      this.#shared = shared
      this.queuePair = queuePair
    } catch (error) {
      for (const step of undo.reverse()) step()
      throw error
    }
  }

  /** From now on its completions go to `sink`, and its events to `onDeviceEvent`. */
  attach(sink: CompletionSink, onDeviceEvent: (event: DeviceEvent) => void): void {
    this.loop.route(this.#shared, this.queuePair.number, sink)
    this.environment.watch(this.queuePair, onDeviceEvent)
  }

  /** Takes what is in its queue by now. Not to be called from within a sink. */
  drain(): void {
    this.loop.drain(this.#shared)
  }

  /** Destroys the queue pair; then memory that it used may be given back. Not to be called from within a sink. */
  closeQueuePair(): void {
    this.environment.unwatch(this.queuePair)
    const { number } = this.queuePair
    this.queuePair.close()
    this.loop.retire(this.#shared, this.#workRequests, number)
  }

  /** Gives back the rest. */
  release(): void {
    this.ready.free()
    this.environment.releaseLoop(this.loop)
    this.environment.release()
  }
}
