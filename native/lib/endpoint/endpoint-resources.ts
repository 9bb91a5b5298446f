/** What an endpoint holds of its device: taken step by step, each undone when a later one fails, and given back in order. */
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

/** Send work requests of the endpoint's own, by their records behind the driver's. */
export const OwnSend = { ready: 0, keepAlive: 1, drainMarker: 2, confirmation: 3 } as const
/** Receives of its own, in the same way. */
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

  /** @throws NettsError for what is missing; nothing is left behind, but `id` stays the caller's */
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

  /** Its completions and events go there from now on. */
  attach(sink: CompletionSink, onDeviceEvent: (event: DeviceEvent) => void): void {
    this.loop.route(this.#shared, this.queuePair.number, sink)
    this.environment.watch(this.queuePair, onDeviceEvent)
  }

  /** Takes what is in its queue by now. Not to be called from within a sink. */
  drain(): void {
    this.loop.drain(this.#shared)
  }

  /** Destroys the queue pair: memory that it used may be given back then. Not to be called from within a sink. */
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
