/**
 * The requesting half of a simulated queue pair: it takes work requests in order, sends them to the peer, waits for the
 * responses, and completes them in order.
 *
 * Lost packets show only as delay, since a reliable connection repeats them. So only broken links, and the limits on
 * repeating, are modelled. Memory is read when a request is transmitted, not when it is posted: a program that changes
 * it too early sends the changed bytes.
 */
import { AccessFlag, CompletionStatus, SendFlag, SendOpcode } from '../verbs/layout.js'
import type { ClockTimer } from '../verbs/verbs.js'
import { Step } from './scheduler.js'
import { bringsDataBack, COMPLETION_OPCODE, gatherIfReachable, type SendRequest } from './send-request.js'
import type { Flight, QueuePairEnd, RequestingHalf, Response } from './wire.js'

/** A retry count of 7 never runs out (`ibv_modify_qp`, rnr_retry). */
const RETRY_FOR_EVER = 7

export class Requester implements RequestingHalf {
  readonly #queuePair: QueuePairEnd
  readonly #pending: SendRequest[] = []
  readonly #flights: Flight[] = []
  readonly #responses: Response[] = []
  readonly #transmit: Step
  readonly #respond: Step
  /** Requests that were posted and whose place is not free yet: the program has not polled a completion for them. */
  #occupied = 0
  /** Requests that completed without a completion, since the last completion. */
  #silent = 0
  /** A local error was found; nothing is sent until it is reported. */
  #stalled = false
  /** iWARP: the oldest request was being written when the peer ended the TCP connection. */
  #cutOff = false
  #rnrRetriesLeft = 0
  #waitingForReceiver = false
  #rnrTimer: ClockTimer | undefined
  #ackTimer: ClockTimer | undefined
  #progressMs = 0

  constructor(queuePair: QueuePairEnd) {
    this.#queuePair = queuePair
    const { scheduler } = queuePair.host.fabric
    this.#transmit = new Step(scheduler, 'device', `${queuePair.label}: transmit`, () => this.#transmitNext())
    this.#respond = new Step(scheduler, 'device', `${queuePair.label}: response`, () => this.#takeResponse())
  }

  /** Whether everything posted has completed. */
  get idle(): boolean {
    return this.#pending.length === 0 && this.#flights.length === 0
  }

  /** @returns how many were accepted */
  post(requests: readonly SendRequest[]): number {
    const accepted = Math.min(requests.length, this.#queuePair.maxSendWorkRequests - this.#occupied)
    this.#occupied += accepted
    this.#pending.push(...requests.slice(0, accepted))
    return accepted
  }

  /** The peer answered. */
  receive(response: Response): void {
    if (this.#queuePair.state !== 'ready-to-send') return
    this.#responses.push(response)
    this.refresh()
  }

  /** Works out which steps are possible now. */
  refresh(): void {
    const up = this.#queuePair.state === 'ready-to-send' && !this.#queuePair.host.stopped
    this.#transmit.enabled = up && !this.#stalled && this.#canTransmit()
    this.#respond.enabled = up && this.#responses.length > 0 && this.#queuePair.linked
  }

  /** The queue pair is in the error state, or closed: nothing is sent any more. */
  stop(): void {
    this.#transmit.enabled = false
    this.#respond.enabled = false
    this.#rnrTimer?.close()
    this.#ackTimer?.close()
    this.#ackTimer = undefined
    this.#responses.length = 0
  }

  /**
   * iWARP: the peer ended the TCP connection. A request that is being written then fails as if it were malformed
   * (siw_qp_sq_process() in drivers/infiniband/sw/siw/siw_qp_tx.c), unless it is flushed before that is noticed.
   */
  cutOff(): void {
    this.#cutOff = !this.idle && this.#queuePair.host.fabric.random.chance(0.5)
  }

  /** Completes the oldest request as flushed. */
  flushOne(): void {
    const request = this.#flights.shift()?.request ?? this.#pending.shift()
    if (request) {
      this.#complete(
        request,
        this.#cutOff ? CompletionStatus.localQpOperationError : CompletionStatus.flushed,
      )
    }
    this.#cutOff = false
  }

  #canTransmit(): boolean {
    const [next] = this.#pending
    if (!next) return false
    const outstanding = this.#flights.filter(({ request }) => bringsDataBack(request)).length
    if (next.flags & SendFlag.fence && outstanding > 0) return false
    return !bringsDataBack(next) || outstanding < this.#queuePair.initiatorDepth
  }

  #transmitNext(): void {
    const queuePair = this.#queuePair
    const request = this.#pending.shift() as SendRequest
    const flight: Flight = { request, done: false, status: CompletionStatus.success }
    this.#flights.push(flight)
    if (request.opcode === SendOpcode.bindWindow || request.opcode === SendOpcode.localInvalidate) {
      this.#settle(flight, this.#operateOnWindow(request))
    } else if (queuePair.mustNotSpeakYet) {
      // MPA without peer-to-peer mode: the responder must wait for the initiator's first message (RFC 5044, 7.1).
      queuePair.fail()
      return
    } else {
      const data = bringsDataBack(request)
        ? this.#sinkIsWritable(request)
        : (request.inlineData ?? gatherIfReachable(queuePair, request.entries, request.byteLength))
      if (!data) {
        this.#settle(flight, CompletionStatus.localProtectionError)
      } else {
        queuePair.peer?.responder.receive({ flight, data, written: 0 })
        if (!queuePair.device.acknowledges && !bringsDataBack(request)) {
          this.#settle(flight, CompletionStatus.success)
        }
        this.#watchForSilence()
      }
    }
    queuePair.refresh()
  }

  #sinkIsWritable(request: SendRequest): Uint8Array | undefined {
    const { host, protectionDomain } = this.#queuePair
    const writable = request.entries.every(({ regionId }) => {
      const region = host.memory.region(regionId)
      return region?.protectionDomain === protectionDomain && region.access & AccessFlag.localWrite
    })
    return writable ? new Uint8Array(0) : undefined
  }

  #operateOnWindow(request: SendRequest): number {
    const { host, protectionDomain } = this.#queuePair
    if (request.opcode === SendOpcode.localInvalidate) {
      const done = host.memory.invalidate(this.#queuePair, request.immediate)
      return done ? CompletionStatus.success : CompletionStatus.windowBindError
    }
    const window = host.memory.window(request.windowId)
    const [entry] = request.entries
    const region = entry && host.memory.region(entry.regionId)
    const allowed =
      entry &&
      region &&
      region.access & AccessFlag.windowBind &&
      region.protectionDomain === protectionDomain &&
      window?.protectionDomain === protectionDomain &&
      window.binding === undefined &&
      request.remoteAddress === region.remoteAddress + BigInt(entry.byteOffset)
    if (!allowed) return CompletionStatus.windowBindError
    window.remoteKey = request.remoteKey
    window.binding = {
      region,
      queuePair: this.#queuePair,
      address: request.remoteAddress,
      byteLength: entry.byteLength,
      access: request.windowAccess,
    }
    return CompletionStatus.success
  }

  #takeResponse(): void {
    const { flight, status, receiverNotReady, data } = this.#responses.shift() as Response
    this.#progressMs = this.#queuePair.host.fabric.scheduler.nowMs
    if (receiverNotReady) {
      this.#waitForReceiver(flight)
      return
    }
    this.#waitingForReceiver = false
    this.#rnrRetriesLeft = this.#queuePair.rnrRetryCount
    this.#settle(flight, data ? this.#scatter(flight.request, data) : status)
    this.#queuePair.refresh()
  }

  #waitForReceiver(flight: Flight): void {
    const queuePair = this.#queuePair
    if (!this.#waitingForReceiver) {
      this.#waitingForReceiver = true
      this.#rnrRetriesLeft = queuePair.rnrRetryCount
    }
    if (this.#rnrRetriesLeft === 0) {
      this.#settle(flight, CompletionStatus.rnrRetryExceeded)
    } else {
      if (queuePair.rnrRetryCount !== RETRY_FOR_EVER) this.#rnrRetriesLeft--
      const { peer } = queuePair
      const again = () => peer?.responder.tryAgain()
      const { scheduler } = queuePair.host.fabric
      this.#rnrTimer = scheduler.setTimer(
        'device',
        `${queuePair.label}: RNR timer`,
        peer?.rnrDelayMs ?? 0,
        again,
      )
    }
    queuePair.refresh()
  }

  #scatter(request: SendRequest, data: Uint8Array): number {
    let at = 0
    for (const { regionId, byteOffset, byteLength } of request.entries) {
      const region = this.#queuePair.host.memory.region(regionId)
      if (!region) return CompletionStatus.localProtectionError
      region.bytes.set(data.subarray(at, at + byteLength), byteOffset)
      at += byteLength
    }
    return CompletionStatus.success
  }

  /** The outcome of a request is known: completes it, and those that waited for it, in order. */
  #settle(flight: Flight, status: number): void {
    flight.done = true
    flight.status = status
    if (status !== CompletionStatus.success) this.#stalled = true
    for (let [oldest] = this.#flights; oldest?.done; [oldest] = this.#flights) {
      this.#flights.shift()
      this.#complete(oldest.request, oldest.status)
      if (oldest.status !== CompletionStatus.success) {
        this.#queuePair.fail()
        return
      }
    }
  }

  #complete(request: SendRequest, status: number): void {
    if (status === CompletionStatus.success && !(request.flags & SendFlag.signalled)) {
      this.#silent++
      return
    }
    const retired = 1 + this.#silent
    this.#silent = 0
    this.#queuePair.sendCompletionQueue.push({
      idLow: request.idLow,
      idHigh: request.idHigh,
      status,
      opcode: COMPLETION_OPCODE[request.opcode] as number,
      flags: 0,
      byteLength: request.byteLength,
      immediate: 0,
      queuePair: this.#queuePair,
      solicited: false,
      retire: () => {
        this.#occupied -= retired
      },
    })
  }

  /** Keeps one timer running while something is unacknowledged. */
  #watchForSilence(): void {
    const { patienceMs, host, label } = this.#queuePair
    const { scheduler } = host.fabric
    if (this.#flights.length <= 1) this.#progressMs = scheduler.nowMs
    if (this.#ackTimer) return
    if (patienceMs === Number.POSITIVE_INFINITY) return
    const watch = (delayMs: number) => {
      this.#ackTimer = scheduler.setTimer('device', `${label}: retries run out`, delayMs, () => {
        this.#ackTimer = undefined
        const unheard = !this.#queuePair.peerListens
        if (this.#queuePair.state !== 'ready-to-send' || (this.idle && !unheard)) return
        const leftMs = this.#progressMs + patienceMs - scheduler.nowMs
        if (leftMs > 0 || !unheard || this.#waitingForReceiver) watch(Math.max(leftMs, patienceMs / 8))
        else this.#giveUp()
      })
    }
    watch(patienceMs)
  }

  #giveUp(): void {
    const queuePair = this.#queuePair
    const [oldest] = this.#flights
    queuePair.device.counters.retriesExceeded++
    if (!queuePair.device.acknowledges) queuePair.fail()
    else if (oldest) this.#settle(oldest, CompletionStatus.retryExceeded)
  }
}
