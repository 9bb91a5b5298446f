/**
 * One end of a connection, from its queue pair's creation to its destruction, for whatever driver runs on it: the
 * handshake's READY, completions, keepalive, the one end, draining and teardown.
 *
 * States: *handshaking* (receives are posted; hello and READY travel) → *open* → *draining* (the queue pair is in the
 * error state, everything outstanding is being flushed) → *closed*. Only downwards, and every failure is the same step
 * to draining.
 */
import { formatAddress, type HostAddress, NettsError } from '@netts/core'
import type { CmEvent, CmId } from '../verbs/cm.js'
import type { Device, DeviceEventType } from '../verbs/device.js'
import { COMPLETION, CompletionStatus, SendFlag, SendOpcode } from '../verbs/layout.js'
import type { QueuePair } from '../verbs/queue-pair.js'
import { writeSend } from '../verbs/records.js'
import type { Verbs } from '../verbs/verbs.js'
import type { CompletionLoop, CompletionSink, SharedQueue } from './completion-loop.js'
import { completionFailure, isSignOfLife, tellsOfTheEnd } from './completion-meaning.js'
import { DeviceEnvironment } from './device-environment.js'
import { Drain } from './drain.js'
import type {
  Endpoint,
  EndpointOptions,
  EndpointRole,
  EndpointSession,
  EndpointState,
} from './endpoint-session.js'
import { KeepAlive } from './keep-alive.js'
import { ReadyExchange } from './ready-exchange.js'
import { FIRST_INTERNAL_KIND, InternalKind, kindOf, workRequestIdLow } from './work-request-id.js'

/** Send work requests of the endpoint's own: READY, keepalive, drain marker, confirmation. */
const OWN_SENDS = 4
/** Receives of its own: READY, drain marker. */
const OWN_RECEIVES = 2
/** 10.24 ms (see {@link QueuePair.setMinRnrTimer}): a peer without receives broke the protocol, and gets 60 ms. */
const MIN_RNR_TIMER = 20
/** How often to try to give up on a host that does not answer, see {@link CmId.disconnect}. */
const GIVE_UP_INTERVAL_MS = 250
/** Events after which a queue pair is of no more use. */
const FATAL_EVENTS: ReadonlySet<DeviceEventType> = new Set([
  'qp-fatal',
  'qp-request-error',
  'qp-access-error',
  'device-fatal',
])

/** What happens to an endpoint that its maker wants to know. */
export interface EndpointObserver {
  /** The handshake is complete. */
  onOpen(): void
  /** It is over; during the handshake, this is why. */
  onEnd(error: NettsError): void
  /** Everything is given back. */
  onClosed(): void
}

/** An {@link Endpoint}, with what its maker tells it of the connection manager's events. */
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
  readonly #loop: CompletionLoop
  readonly #shared: SharedQueue
  readonly #workRequests: number
  readonly #keepAlive: KeepAlive
  readonly #ready: ReadyExchange
  readonly #drain: Drain
  /** Completions for the session that came before it was open. */
  readonly #early: Uint32Array[] = []
  #state: EndpointState = 'handshaking'
  #established = false
  #disconnected = false
  #greeted = false
  #peerReady = false
  /** iWARP: destroying an id blocks the thread until the peer answered (`iw_destroy_cm_id`), so that has to wait. */
  #awaitsAnswer = false
  #holdsProcess = false
  #onConfirmed: (() => void) | undefined

  /**
   * Makes the queue pair, lets the driver open its session and so post its receives.
   * @throws NettsError for what is missing; nothing is left behind, but `id` stays the caller's
   */
  constructor(
    verbs: Verbs,
    id: CmId,
    role: EndpointRole,
    options: EndpointOptions,
    observer: EndpointObserver,
  ) {
    const undo: (() => void)[] = []
    try {
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
      this.environment = DeviceEnvironment.acquire(verbs, device)
      undo.push(() => this.environment.release())
      this.#loop = this.environment.acquireLoop(options.polling)
      undo.push(() => this.environment.releaseLoop(this.#loop))
      const maxSendWorkRequests = options.maxSendWorkRequests + OWN_SENDS
      const maxReceiveWorkRequests = options.maxReceiveWorkRequests + OWN_RECEIVES
      this.#workRequests = maxSendWorkRequests + maxReceiveWorkRequests
      this.#shared = this.#loop.reserve(this.#workRequests)
      undo.push(() => this.#loop.retire(this.#shared, this.#workRequests, undefined))
      this.queuePair = id.createQueuePair({
        protectionDomain: this.environment.protectionDomain,
        sendCompletionQueue: this.#shared.queue,
        maxSendWorkRequests,
        maxReceiveWorkRequests,
        maxSendEntries: Math.max(1, options.maxSendEntries),
        maxReceiveEntries: Math.max(1, options.maxReceiveEntries),
        maxInlineBytes: options.maxInlineBytes,
      })
      undo.push(() => this.queuePair.close())
      this.#ready = new ReadyExchange(this.environment)
      undo.push(() => this.#ready.free())
      this.#drain = new Drain(verbs.clock, () => this.#tearDown())
      this.#keepAlive = new KeepAlive(verbs.clock, options, {
        probe: () => {
          try {
            this.#probe()
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
      this.#loop.route(this.#shared, this.queuePair.number, this)
      undo.push(() => this.#shared.routes.delete(this.queuePair.number))
      this.environment.watch(this.queuePair, (event) => {
        if (event.type === 'communication-established') this.#id.notifyEstablished()
        else if (FATAL_EVENTS.has(event.type)) this.close(this.#lost(`the device reported ${event.name}`))
      })
      undo.push(() => this.environment.unwatch(this.queuePair))
      this.#ready.expect(this.queuePair)
      this.session = options.openSession(this)
      this.#hold(true)
    } catch (error) {
      for (const step of undo.reverse()) step()
      throw error
    }
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

  /** The connector asks its peer now. */
  asking(): void {
    this.#awaitsAnswer = this.device.transport === 'iwarp'
  }

  /** Takes what is in its queue by now. Not to be called from within a sink. */
  look(): void {
    if (this.#state !== 'closed') this.#loop.drain(this.#shared)
  }

  /** The peer answered, or never will. */
  answered(): void {
    if (!this.#awaitsAnswer) return
    this.#awaitsAnswer = false
    if (this.#state === 'draining') this.#startDraining()
  }

  /** The peer's hello was accepted; for the connector, this is the moment to say READY. */
  greet(): void {
    this.#greeted = true
    this.queuePair.setMinRnrTimer(MIN_RNR_TIMER)
    if (this.role === 'connector') this.#sayReady()
    this.#openIfReady()
  }

  /** The connection manager has an event for this connection. */
  onCmEvent(event: CmEvent): void {
    switch (event.type) {
      case 'established':
        this.#established = true
        this.#openIfReady()
        return
      case 'disconnected':
        // What arrived before is delivered before the end; what is flushed now is no other end.
        this.#disconnected = true
        if (this.#state !== 'closed') this.#loop.drain(this.#shared)
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
      this.#early.push(words.slice(at, at + COMPLETION.words))
    } else if (this.#state === 'open' || (this.#state === 'draining' && this.#greeted)) {
      if (isSignOfLife(words[at + COMPLETION.opcode]!, this.device)) this.#keepAlive.heard()
      this.session.onCompletion(words, at)
    }
    if (status === CompletionStatus.success || this.#state === 'draining') return
    // What is flushed before the end of a handshake, or behind a disconnect, has a reason that an event tells.
    const explained = this.#disconnected || this.#state === 'handshaking'
    if (!explained || !tellsOfTheEnd(status, this.device)) {
      this.close(completionFailure(status, words[at + COMPLETION.vendorError]!, this))
    }
  }

  onBatchEnd(): void {
    if (this.#state === 'open' || this.#state === 'draining') this.session.onBatchEnd()
  }

  posted(): void {
    this.#loop.posted()
  }

  confirm(onConfirmed: () => void): void {
    this.#onConfirmed = onConfirmed
    this.#ask(InternalKind.confirmation, 3)
  }

  onQueueFailure(error: unknown): void {
    this.close(this.#lost('the completion queue failed', error))
    this.#drain.finish()
  }

  close(error?: NettsError): void {
    if (this.#state === 'draining' || this.#state === 'closed') return
    const wasOpen = this.#state === 'open'
    this.#state = 'draining'
    this.#keepAlive.stop()
    // A session knows what to make of them only once it has heard the peer's hello.
    const early = this.#early.splice(0)
    if (this.#greeted) for (const words of early) this.session.onCompletion(words, 0)
    const reason = error ?? new NettsError('ERR_NETTS_CLOSED', 'closed by this side')
    if (wasOpen && error) this.session.onEnd(error)
    this.#observer.onEnd(reason)
    if (this.#awaitsAnswer) this.#giveUp()
    else this.#startDraining()
  }

  /** A host that is silent altogether will not answer for minutes. */
  #giveUp(): void {
    if (!this.#awaitsAnswer) return
    try {
      this.#id.disconnect()
    } catch {
      // Somebody closed the verbs underneath.
      return
    }
    this.verbs.clock.setTimer(() => this.#giveUp(), GIVE_UP_INTERVAL_MS)
  }

  #startDraining(): void {
    const { maxSendWorkRequests, maxReceiveWorkRequests } = this.#options
    try {
      this.#id.disconnect()
    } catch {
      // Somebody closed the verbs underneath: there is nobody to tell any more.
    }
    this.#drain.start(this.queuePair, maxSendWorkRequests + 2, maxReceiveWorkRequests + 1)
    this.#loop.wake()
  }

  /** Window, queue pair, completions, regions, id, protection domain, in this order. */
  #tearDown(): void {
    this.#loop.drain(this.#shared)
    this.session.onDrained()
    this.#state = 'closed'
    this.environment.unwatch(this.queuePair)
    const { number } = this.queuePair
    this.queuePair.close()
    this.#loop.retire(this.#shared, this.#workRequests, number)
    this.session.onClosed()
    this.#ready.free()
    this.#hold(false)
    this.#id.close()
    this.environment.releaseLoop(this.#loop)
    this.environment.release()
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
      this.session.onReady(this.#ready.heard(byteLength))
      this.#peerReady = true
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
    this.#ready.say(this.queuePair, this.#options.maxSendWorkRequests, this.session.ready())
  }

  #openIfReady(): void {
    if (this.#state !== 'handshaking' || !this.#greeted || !this.#established || !this.#peerReady) return
    if (this.role === 'acceptor' && !this.#trySayReady()) return
    this.#state = 'open'
    this.#keepAlive.start()
    this.session.onOpen()
    this.#observer.onOpen()
    const early = this.#early.splice(0)
    for (const words of early) if (this.state === 'open') this.session.onCompletion(words, 0)
    if (early.length > 0 && this.state === 'open') this.session.onBatchEnd()
  }

  #probe(): void {
    this.#ask(InternalKind.keepAlive, 1)
  }

  /** Asks the peer's device for an answer, behind everything posted so far; needs no receive there. */
  #ask(kind: number, ownSend: number): void {
    const at = this.#options.maxSendWorkRequests + ownSend
    writeSend(this.queuePair, at, {
      id: BigInt(workRequestIdLow(kind, 0)),
      // On iWARP a Write is complete once TCP has it; a Read is only when the peer answered.
      opcode: this.device.transport === 'iwarp' ? SendOpcode.read : SendOpcode.write,
      flags: SendFlag.signalled,
    })
    this.queuePair.postSend(1, at)
  }

  #hold(holds: boolean): void {
    if (holds === this.#holdsProcess || (holds && this.#state === 'closed')) return
    this.#holdsProcess = holds
    if (holds) this.#loop.ref()
    else this.#loop.unref()
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
