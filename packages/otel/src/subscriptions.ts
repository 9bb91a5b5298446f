/** Subscriptions to the channels of `node:diagnostics_channel` that netts publishes to. */
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import type {
  BufferLeakEvent,
  ConnectionAcceptEvent,
  ConnectionCloseEvent,
  ConnectionConnectEvent,
  ConnectTrace,
  ListenerErrorEvent,
  WireFallbackEvent,
} from '@netts/core'
import { DIAGNOSTICS_CHANNELS } from '@netts/core'
import { POOL_CHANNELS, type PoolDiagnostics } from '@netts/pool'

interface Messages {
  readonly [DIAGNOSTICS_CHANNELS.connect]: ConnectionConnectEvent
  readonly [DIAGNOSTICS_CHANNELS.accept]: ConnectionAcceptEvent
  readonly [DIAGNOSTICS_CHANNELS.close]: ConnectionCloseEvent
  readonly [DIAGNOSTICS_CHANNELS.listenerError]: ListenerErrorEvent
  readonly [DIAGNOSTICS_CHANNELS.wireFallback]: WireFallbackEvent
  readonly [DIAGNOSTICS_CHANNELS.bufferLeak]: BufferLeakEvent
  readonly [POOL_CHANNELS.event]: PoolDiagnostics
}

/** Subscriptions that are ended together. */
export class Subscriptions implements Disposable {
  readonly #undo: (() => void)[] = []

  on<K extends keyof Messages>(channel: K, listener: (message: Messages[K]) => void): void {
    const onMessage = (message: unknown) => listener(message as Messages[K])
    subscribe(channel, onMessage)
    this.#undo.push(() => unsubscribe(channel, onMessage))
  }

  /** Calls back for each attempt to connect, when it begins and when it has ended. */
  onConnecting(began: (trace: ConnectTrace) => void, ended: (trace: ConnectTrace) => void): void {
    const channel = tracingChannel<ConnectTrace, ConnectTrace>(DIAGNOSTICS_CHANNELS.connectTracing)
    const nothing = () => {}
    const listeners = {
      start: (message: unknown) => began(message as ConnectTrace),
      end: nothing,
      asyncStart: (message: unknown) => ended(message as ConnectTrace),
      asyncEnd: nothing,
      error: nothing,
    }
    channel.subscribe(listeners)
    this.#undo.push(() => channel.unsubscribe(listeners))
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo.splice(0)) undo()
  }
}
