/** Queue pairs of the simulated device: posting, states, and flushing. */
import { NettsError } from '@netts/core'
import { checkInteger, invalidArgument } from '@netts/core/driver'
import { callError } from '../verbs/errors.js'
import { CompletionStatus, sendRecordWords } from '../verbs/layout.js'
import type { QueuePairAttributes, QueuePairOptions, QueuePairState } from '../verbs/queue-pair.js'
import type { Completion, SimulatedCompletionQueue } from './completion-queue.js'
import type { Machine, MachineDevice, MachineQueuePair } from './machine.js'
import type { SimulatedProtectionDomain } from './memory.js'
import { Requester } from './requester.js'
import { Resource } from './resource.js'
import { Responder } from './responder.js'
import { Step } from './scheduler.js'
import { readSendRequest, type SendRequest } from './send-request.js'
import {
  checkRecords,
  ReceiveQueue,
  type ReceiveRequest,
  type SimulatedSharedReceiveQueue,
} from './shared-receive-queue.js'
import type { QueuePairEnd } from './wire.js'

/** Milliseconds for each RNR timer code (InfiniBand specification, table 45). */
const RNR_TIMER_MS = [
  655.36, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24, 0.32, 0.48, 0.64, 0.96, 1.28, 1.92, 2.56,
  3.84, 5.12, 7.68, 10.24, 15.36, 20.48, 30.72, 40.96, 61.44, 81.92, 122.88, 163.84, 245.76, 327.68, 491.52,
]

/** What the two ends of a connection agreed on. */
export interface Link {
  readonly peer: SimulatedQueuePair
  readonly initiatorDepth: number
  readonly responderResources: number
  readonly rnrRetryCount: number
  /** How many milliseconds the peer may be silent before the connection counts as broken. */
  readonly patienceMs: number
  /** Whether it is an acceptor on iWARP, which must not send before the connector has sent. */
  readonly listensFirst: boolean
}

export class SimulatedQueuePair extends Resource implements QueuePairEnd, MachineQueuePair {
  readonly device: MachineDevice
  readonly number: number
  readonly label: string
  readonly protectionDomain: SimulatedProtectionDomain
  readonly sendCompletionQueue: SimulatedCompletionQueue
  readonly receiveCompletionQueue: SimulatedCompletionQueue
  readonly maxSendWorkRequests: number
  readonly maxSendEntries: number
  readonly maxInlineBytes: number
  readonly sendRequests: Uint32Array
  readonly sendRecordWords: number
  readonly requester: Requester
  readonly responder: Responder
  readonly #receives: ReceiveQueue
  readonly #shared: SimulatedSharedReceiveQueue | undefined
  readonly #flush: Step
  #state: QueuePairState = 'init'
  #link: Link | undefined
  #rnrTimer = 0
  /** The program was told that the connection is established: it may send. */
  established = false
  /** Set by the connection manager: called when the connection broke. */
  onBroken: (() => void) | undefined
  /** Set by the connection manager: called when the peer's first message arrived. */
  onFirstMessage: (() => void) | undefined

  constructor(host: Machine, options: QueuePairOptions) {
    const { device } = host
    const { attributes } = device
    const {
      maxSendWorkRequests,
      maxReceiveWorkRequests = 0,
      sharedReceiveQueue,
      maxInlineBytes = 0,
    } = options
    const { maxSendEntries = 1, maxReceiveEntries = 1, sendCompletionQueue } = options
    checkInteger('maxSendWorkRequests', maxSendWorkRequests, 1, attributes.maxWorkRequests)
    checkInteger('maxReceiveWorkRequests', maxReceiveWorkRequests, 0, attributes.maxWorkRequests)
    checkInteger('maxSendEntries', maxSendEntries, 1, attributes.maxEntries)
    checkInteger('maxReceiveEntries', maxReceiveEntries, 1, attributes.maxEntries)
    checkInteger('maxInlineBytes', maxInlineBytes, 0, device.maxInlineBytes)
    if (sharedReceiveQueue && maxReceiveWorkRequests > 0) {
      throw invalidArgument('a queue pair with a shared receive queue has no receives of its own')
    }
    device.checkLimit('queuePairs', 'maxQueuePairs', 'rdma_create_qp')
    super(host, 'queuePairs')
    this.device = device
    this.number = device.takeQueuePairNumber()
    this.label = `${host.name} qp ${this.number}`
    this.protectionDomain = options.protectionDomain as SimulatedProtectionDomain
    this.sendCompletionQueue = sendCompletionQueue as SimulatedCompletionQueue
    this.receiveCompletionQueue = (options.receiveCompletionQueue ??
      sendCompletionQueue) as SimulatedCompletionQueue
    this.maxSendWorkRequests = maxSendWorkRequests
    this.maxSendEntries = maxSendEntries
    this.maxInlineBytes = maxInlineBytes
    this.sendRecordWords = sendRecordWords(maxSendEntries)
    this.sendRequests = new Uint32Array(maxSendWorkRequests * this.sendRecordWords)
    this.#receives = new ReceiveQueue(host, maxReceiveWorkRequests, maxReceiveEntries)
    this.#shared = sharedReceiveQueue as SimulatedSharedReceiveQueue | undefined
    this.#flush = new Step(host.fabric.scheduler, 'device', `${this.label}: flush`, () => this.#flushOne())
    this.requester = new Requester(this)
    this.responder = new Responder(this)
    this.sendCompletionQueue.queuePairs.add(this)
    this.receiveCompletionQueue.queuePairs.add(this)
    this.#shared?.queuePairs.add(this)
    host.queuePairs.add(this)
  }

  get state(): QueuePairState {
    return this.#state
  }

  get maxReceiveWorkRequests(): number {
    return this.#receives.maxWorkRequests
  }

  get maxReceiveEntries(): number {
    return this.#receives.maxEntries
  }

  get receiveRequests(): Uint32Array {
    return this.#receives.records
  }

  get receiveRecordWords(): number {
    return this.#receives.recordWords
  }

  get peer(): SimulatedQueuePair | undefined {
    return this.#link?.peer
  }

  get initiatorDepth(): number {
    return this.#link?.initiatorDepth ?? 0
  }

  get responderResources(): number {
    return this.#link?.responderResources ?? 0
  }

  get rnrRetryCount(): number {
    return this.#link?.rnrRetryCount ?? 0
  }

  get patienceMs(): number {
    return this.#link?.patienceMs ?? Number.POSITIVE_INFINITY
  }

  get rnrDelayMs(): number {
    return RNR_TIMER_MS[this.#rnrTimer] as number
  }

  /** Whether packets pass between this queue pair and its peer. */
  get linked(): boolean {
    const { peer } = this
    return peer !== undefined && this.host.fabric.linked(this.host, peer.host)
  }

  /** Whether the peer would answer. */
  get peerListens(): boolean {
    return this.linked && this.peer?.state === 'ready-to-send' && !this.peer.closed
  }

  /** Whether this end has to wait for the peer's first message (iWARP). */
  get mustNotSpeakYet(): boolean {
    return this.#link?.listensFirst === true && !this.responder.heard
  }

  get hasReceive(): boolean {
    return (this.#shared?.queue ?? this.#receives).length > 0
  }

  takeReceive(): ReceiveRequest | undefined {
    return this.#shared ? this.#shared.take() : this.#receives.take()
  }

  completeReceive(
    receive: ReceiveRequest,
    outcome: Pick<Completion, 'status' | 'opcode' | 'flags' | 'byteLength' | 'immediate' | 'solicited'>,
  ): void {
    const queue = this.#shared?.queue ?? this.#receives
    this.receiveCompletionQueue.push({
      idLow: receive.idLow,
      idHigh: receive.idHigh,
      ...outcome,
      queuePair: this,
      retire: () => queue.retire(),
    })
  }

  /** Called by the connection manager: connects it to the peer's queue pair. */
  join(link: Link): void {
    if (this.#state === 'error' || this.closed) return
    this.#link = link
    this.#state = 'ready-to-send'
    this.refresh()
  }

  postSend(count: number, first = 0): number {
    this.enter('ibv_post_send')
    checkRecords(this.sendRequests, this.sendRecordWords, count, first)
    const requests: SendRequest[] = []
    for (let index = first; index < first + count; index++) {
      requests.push(readSendRequest(this, this.sendRequests, index * this.sendRecordWords))
    }
    if (!this.established && this.#state !== 'error') {
      throw new NettsError('ERR_NETTS_INVALID_STATE', 'the connection is not established yet', {
        operation: 'ibv_post_send',
      })
    }
    const posted = this.requester.post(requests)
    this.refresh()
    return posted
  }

  postReceive(count: number, first = 0): number {
    this.enter('ibv_post_recv')
    if (this.#shared) throw invalidArgument('receives go to the shared receive queue', 'ibv_post_recv')
    const posted = this.#receives.post(count, first, 'ibv_post_recv')
    this.refresh()
    return posted
  }

  attributes(): QueuePairAttributes {
    this.enter('ibv_query_qp')
    return {
      state: this.#state,
      pathMtuBytes: this.#link ? 4096 : 0,
      destinationQueuePairNumber: this.peer?.number ?? 0,
      portNumber: 1,
      gidIndex: 0,
      trafficClass: 0,
      ackTimeout: 0,
      retryCount: 0,
      rnrRetryCount: this.rnrRetryCount,
      minRnrTimer: this.#rnrTimer,
      initiatorDepth: this.initiatorDepth,
      responderResources: this.responderResources,
    }
  }

  moveToError(): void {
    this.enter('ibv_modify_qp')
    this.fail()
  }

  setMinRnrTimer(code: number): void {
    this.enter('ibv_modify_qp')
    checkInteger('code', code, 0, 31)
    if (this.#state !== 'ready-to-send') {
      throw callError('ibv_modify_qp', 'EINVAL', { device: this.device.name })
    }
    this.#rnrTimer = code
  }

  /** Works out what can happen next on this queue pair. */
  refresh(): void {
    if (this.closed) return
    this.requester.refresh()
    this.responder.refresh()
    const outstanding = !this.requester.idle || this.#receives.length > 0
    this.#flush.enabled = this.#state === 'error' && outstanding && !this.host.stopped
  }

  /** Moves it to the error state: what is outstanding is flushed, one by one. */
  fail(): void {
    if (this.#state === 'error' || this.closed) return
    this.#state = 'error'
    this.requester.stop()
    this.responder.stop()
    if (this.#shared) {
      this.device.raise({
        type: 'last-receive-reached',
        name: 'IBV_EVENT_QP_LAST_WQE_REACHED',
        queuePair: this,
      })
    }
    this.refresh()
    this.#breakConnection()
  }

  loseMemory(): void {
    this.responder.loseMemory()
  }

  /** iWARP: the TCP connection ends with the queue pair, and so does the peer's queue pair. */
  #breakConnection(): void {
    if (this.device.acknowledges) return
    this.peer?.responder.endStream()
    this.onBroken?.()
  }

  #flushOne(): void {
    const receives = this.#receives.length > 0
    if (receives && (this.requester.idle || this.host.fabric.random.chance(0.5))) {
      this.completeReceive(this.#receives.take() as ReceiveRequest, {
        status: CompletionStatus.flushed,
        opcode: 0,
        flags: 0,
        byteLength: 0,
        immediate: 0,
        solicited: false,
      })
    } else {
      this.requester.flushOne()
    }
    this.refresh()
  }

  protected release(): void {
    this.requester.stop()
    this.responder.stop()
    this.#flush.enabled = false
    const wasAlive = this.#state !== 'error'
    this.#state = 'error'
    if (wasAlive) this.#breakConnection()
    for (const queue of [this.sendCompletionQueue, this.receiveCompletionQueue]) {
      if (this.host.fabric.random.chance(0.5)) queue.purge(this)
      queue.queuePairs.delete(this)
    }
    this.#shared?.queuePairs.delete(this)
    this.host.queuePairs.delete(this)
    this.device.returnQueuePairNumber(this.number)
  }
}
