/**
 * One end of a connection, from the creation of its queue pair to its destruction, for any driver: READY, completions,
 * keepalive, the end, draining and teardown.
 *
 * States: *handshaking* (receives are posted; hello and READY are exchanged) → *open* → *draining* (the queue pair is
 * in the error state, everything outstanding is being flushed) → *closed*. There is no way back, and every failure
 * leads to draining in the same way.
 */
import { formatAddress, type HostAddress, NettsError } from '@netts/core'
import type { CmEvent, CmId } from '../verbs/cm.js'
import type { Device, DeviceEvent, DeviceEventType } from '../verbs/device.js'
import { COMPLETION, CompletionStatus } from '../verbs/layout.js'
import type { QueuePair } from '../verbs/queue-pair.js'
import type { Verbs } from '../verbs/verbs.js'
import type { CompletionSink } from './completion-dispatch.js'
import { completionFailure, isSignOfLife, tellsOfTheEnd } from './completion-meaning.js'
import type { DeviceEnvironment } from './device-environment.js'
import { Drain } from './drain.js'
import { EndpointResources, OwnReceive, OwnSend } from './endpoint-resources.js'
import type {
  Endpoint,
  EndpointOptions,
  EndpointRole,
  EndpointSession,
  EndpointState,
} from './endpoint-session.js'
import { HandshakeProgress } from './handshake-progress.js'
import { KeepAlive } from './keep-alive.js'
import { askPeer } from './peer-question.js'
import { UnansweredConnect } from './unanswered-connect.js'
import { FIRST_INTERNAL_KIND, InternalKind, kindOf } from './work-request-id.js'

/**
 * 10.24 ms (see {@link QueuePair.setMinRnrTimer}). An end without a receive broke the protocol: after 6 repetitions,
 * some 60 ms, the peer's Send fails.
 */
const MIN_RNR_TIMER = 20
/** Events after which a queue pair is of no more use. */
const FATAL_EVENTS: ReadonlySet<DeviceEventType> = new Set([
  'qp-fatal',
  'qp-request-error',
  'qp-access-error',
  'device-fatal',
])

/** What the connector or listener is told of an endpoint. */
export interface EndpointObserver {
  /** The handshake is complete. */
  onOpen(): void
  /** The connection ended; if that was during the handshake, `error` says why. */
  onEnd(error: NettsError): void
  /** Everything was given back. */
  onClosed(): void
}

/** An {@link Endpoint}, with the methods by which the connector or listener passes events on to it. */
export class EndpointMachine implements Endpoint, CompletionSink {
  readonly verbs: Verbs
  readonly device: Device
  readonly environment: DeviceEnvironment
  readonly queuePair: QueuePair
  readonly role: EndpointRole
  readonly localAddress: HostAddress
  readonly remoteAddress: HostAddress
  readonly session: EndpointSession
  readonly #id: CmId
  readonly #options: EndpointOptions
  readonly #observer: EndpointObserver
  readonly #resources: EndpointResources
  readonly #keepAlive: KeepAlive
  readonly #drain: Drain
  readonly #handshake = new HandshakeProgress()
  readonly #unanswered: UnansweredConnect
  readonly #isIwarp: boolean
  #state: EndpointState = 'handshaking'
  #disconnected = false
  #holdsProcess = false
  #onConfirmed: (() => void) | undefined

  /**
   * Makes the queue pair, and lets the driver open its session and post its receives.
   * @param id whose device is known; the caller closes it when this throws
   * @throws NettsError for what cannot be had; nothing stays open
   */
  constructor(
    verbs: Verbs,
    id: CmId,
    role: EndpointRole,
    options: EndpointOptions,
    observer: EndpointObserver,
  ) {
    const { device, localAddress, remoteAddress } = id
    if (!device || !localAddress || !remoteAddress) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', 'the id has no device yet', { operation: 'connect' })
    }
    this.verbs = verbs
    this.device = device
    this.role = role
    this.localAddress = localAddress
    this.remoteAddress = remoteAddress
    this.#id = id
    this.#options = options
    this.#observer = observer
    this.#isIwarp = device.transport === 'iwarp'
    this.#unanswered = new UnansweredConnect(id, verbs.clock)
    this.#drain = new Drain(verbs.clock, () => this.#tearDown())
    this.#keepAlive = new KeepAlive({
      probe: () => {
        try {
          this.#ask(InternalKind.keepAlive, OwnSend.keepAlive)
        } catch (error) {
          this.close(this.#lost('verbs were closed, or failed', error))
        }
      },
      look: () => this.look(),
      onSilent: () => {
        const silence = `did not answer for ${options.keepAliveTimeoutMs} ms`
        const message = `the peer ${formatAddress(remoteAddress)} ${silence}`
        this.close(new NettsError('ERR_NETTS_PEER_LOST', message, { address: remoteAddress }))
      },
    })
    this.#resources = new EndpointResources(verbs, id, options)
    this.environment = this.#resources.environment
    this.queuePair = this.#resources.queuePair
    try {
      this.#resources.attach(this, (event) => this.#onDeviceEvent(event))
      this.#resources.ready.expect(this.queuePair)
      this.session = options.openSession(this)
    } catch (error) {
      this.#resources.closeQueuePair()
      this.#resources.release()
      throw error
    }
    this.#hold(true)
  }

  get state(): EndpointState {
    return this.#state
  }

  ref(): void {
    this.#hold(true)
  }

  unref(): void {
    this.#hold(false)
  }

  /** The connector has sent its request. */
  asking(): void {
    this.#unanswered.begin(this.#isIwarp)
  }

  /** Takes the completions that are in its queue. Not to be called from within a sink. */
  look(): void {
    if (this.#state !== 'closed') this.#resources.drain()
  }

  /** The connector's request was answered, or failed. */
  answered(): void {
    if (this.#unanswered.end() && this.#state === 'draining') this.#startDraining()
  }

  /** The peer's hello was accepted. A connector sends READY now. */
  greet(): void {
    this.#handshake.isGreeted = true
    this.queuePair.setMinRnrTimer(MIN_RNR_TIMER)
    if (this.role === 'connector') this.#sayReady()
    this.#openIfReady()
  }

  /** The connection manager has an event for this connection. */
  onCmEvent(event: CmEvent): void {
    switch (event.type) {
      case 'established':
        this.#handshake.isEstablished = true
        this.#openIfReady()
        return
      case 'disconnected':
        // What arrived before is delivered before the end. Flushed completions are a consequence of it, no other end.
        this.#disconnected = true
        this.look()
        this.close(this.#lost('the peer disconnected'))
        return
      case 'device-removal':
        this.close(this.#lost(`the device ${this.device.name} was removed`))
        return
      case 'unreachable':
      case 'connect-error':
      case 'rejected':
        this.close(this.#lost(`the handshake failed (${event.type}, ${event.status})`))
    }
  }

  onCompletion(words: Uint32Array, at: number): void {
    const status = words[at + COMPLETION.status] as number
    const kind = kindOf(words[at + COMPLETION.idLow] as number)
    if (kind >= FIRST_INTERNAL_KIND) this.#onOwnCompletion(kind, status, words[at + COMPLETION.byteLength]!)
    else if (this.#state === 'handshaking') {
      this.#handshake.keep(words, at)
    } else if (this.#state === 'open' || (this.#state === 'draining' && this.#handshake.isGreeted)) {
      if (!this.#isIwarp || isSignOfLife(words[at + COMPLETION.opcode]!)) this.#keepAlive.heard()
      this.session.onCompletion(words, at)
    }
    if (status === CompletionStatus.success || this.#state === 'draining') return
    // During the handshake, and after a disconnect, an event gives the reason for what is flushed.
    const explained = this.#disconnected || this.#state === 'handshaking'
    if (!explained || !tellsOfTheEnd(status, this.device)) {
      this.close(completionFailure(status, words[at + COMPLETION.vendorError]!, this))
    }
  }

  onBatchEnd(): void {
    if (this.#state === 'open' || this.#state === 'draining') this.session.onBatchEnd()
  }

  posted(): void {
    this.#resources.loop.posted()
  }

  confirm(onConfirmed: () => void): void {
    this.#onConfirmed = onConfirmed
    this.#ask(InternalKind.confirmation, OwnSend.confirmation)
  }

  onQueueFailure(error: unknown): void {
    this.close(this.#lost('the completion queue failed', error))
    this.#drain.finish()
  }

  close(error?: NettsError): void {
    if (this.#state === 'draining' || this.#state === 'closed') return
    const wasOpen = this.#state === 'open'
    this.#state = 'draining'
    this.#resources.keepAliveRounds.remove(this.#keepAlive)
    // A session can use completions only after the peer's hello.
    const early = this.#handshake.takeEarly()
    if (this.#handshake.isGreeted) for (const words of early) this.session.onCompletion(words, 0)
    const reason = error ?? new NettsError('ERR_NETTS_CLOSED', 'closed by this side')
    if (wasOpen && error) this.session.onEnd(error)
    this.#observer.onEnd(reason)
    if (this.#unanswered.isWaiting) this.#unanswered.giveUp()
    else this.#startDraining()
  }

  #startDraining(): void {
    const { maxSendWorkRequests, maxReceiveWorkRequests } = this.#options
    try {
      this.#id.disconnect()
    } catch {
      // The verbs were closed, and this connection with them.
    }
    const sendAt = maxSendWorkRequests + OwnSend.drainMarker
    this.#drain.start(this.queuePair, sendAt, maxReceiveWorkRequests + OwnReceive.drainMarker)
    this.#resources.loop.wake()
  }

  /** Closes windows, queue pair, completion queue, regions, id and protection domain, in this order. */
  #tearDown(): void {
    this.#resources.drain()
    this.session.onDrained()
    this.#state = 'closed'
    this.#resources.closeQueuePair()
    this.session.onClosed()
    this.#hold(false)
    this.#id.close()
    this.#resources.release()
    this.#observer.onClosed()
  }

  #onOwnCompletion(kind: number, status: number, byteLength: number): void {
    if (kind === InternalKind.drainSend || kind === InternalKind.drainReceive) {
      this.#drain.onMarker()
    } else if (status !== CompletionStatus.success || this.#state === 'closed') {
      return
    } else if (kind === InternalKind.keepAlive) {
      this.#keepAlive.answered()
    } else if (kind === InternalKind.confirmation) {
      this.#keepAlive.heard()
      if (this.#state === 'open') this.#onConfirmed?.()
    } else if (kind === InternalKind.readyReceive) {
      this.#onReady(byteLength)
    }
  }

  #onReady(byteLength: number): void {
    try {
      this.session.onReady(this.#resources.ready.heard(byteLength))
      this.#handshake.isPeerReady = true
    } catch (error) {
      this.close(error as NettsError)
      return
    }
    this.#openIfReady()
  }

  #trySayReady(): boolean {
    try {
      this.#sayReady()
      return true
    } catch (error) {
      this.close(error as NettsError)
      return false
    }
  }

  #sayReady(): void {
    const at = this.#options.maxSendWorkRequests + OwnSend.ready
    this.#resources.ready.say(this.queuePair, at, this.session.ready())
  }

  #openIfReady(): void {
    if (this.#state !== 'handshaking' || !this.#handshake.isComplete) return
    if (this.role === 'acceptor' && !this.#trySayReady()) return
    this.#state = 'open'
    this.#resources.keepAliveRounds.add(this.#keepAlive)
    this.session.onOpen()
    this.#observer.onOpen()
    const early = this.#handshake.takeEarly()
    for (const words of early) if (this.state === 'open') this.session.onCompletion(words, 0)
    if (early.length > 0 && this.state === 'open') this.session.onBatchEnd()
  }

  #ask(kind: number, ownSend: number): void {
    askPeer(this.queuePair, this.#isIwarp, kind, this.#options.maxSendWorkRequests + ownSend)
  }

  #onDeviceEvent(event: DeviceEvent): void {
    if (event.type === 'communication-established') this.#id.notifyEstablished()
    else if (FATAL_EVENTS.has(event.type)) this.close(this.#lost(`the device reported ${event.name}`))
  }

  #hold(holds: boolean): void {
    if (holds === this.#holdsProcess || (holds && this.#state === 'closed')) return
    this.#holdsProcess = holds
    if (holds) this.#resources.loop.ref()
    else this.#resources.loop.unref()
    if (holds) this.#id.ref()
    else this.#id.unref()
  }

  #lost(what: string, cause?: unknown): NettsError {
    return new NettsError(
      'ERR_NETTS_RESET',
      `the connection to ${formatAddress(this.remoteAddress)} ended: ${what}`,
      { address: this.remoteAddress, ...(cause === undefined ? {} : { cause }) },
    )
  }
}
