/** Queues of posted receives on the simulated device: those of one queue pair, and shared ones. */
import { checkInteger, invalidArgument } from '@netts/core/driver'
import { ENTRY, RECEIVE, receiveRecordWords } from '../verbs/layout.js'
import type { SharedReceiveQueue, SharedReceiveQueueOptions } from '../verbs/shared-receive-queue.js'
import type { Machine, MachineDevice, MachineQueuePair } from './machine.js'
import { Resource } from './resource.js'

/** A gather or scatter entry; its range was within the region when it was posted. */
export interface Entry {
  readonly regionId: number
  readonly byteOffset: number
  readonly byteLength: number
}

/** A posted receive. */
export interface ReceiveRequest {
  readonly idLow: number
  readonly idHigh: number
  readonly entries: readonly Entry[]
}

/**
 * Reads the entries of a record, and checks them as the addon does.
 * @param at the word at which they begin
 * @param most how many one record may have
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`
 */
export function readEntries(
  host: Machine,
  words: Uint32Array,
  at: number,
  count: number,
  most: number,
  operation: string,
): Entry[] {
  if (count > most) throw invalidArgument(`${count} entries; this queue takes ${most}`, operation)
  const entries: Entry[] = []
  for (let left = count; left > 0; left--, at += ENTRY.words) {
    const entry = {
      regionId: words[at + ENTRY.regionId] as number,
      byteOffset: words[at + ENTRY.byteOffset] as number,
      byteLength: words[at + ENTRY.byteLength] as number,
    }
    const region = host.memory.region(entry.regionId)
    if (!region) throw invalidArgument(`there is no region ${entry.regionId}`, operation)
    if (entry.byteOffset + entry.byteLength > region.byteLength) {
      throw invalidArgument(
        `range ${entry.byteOffset}+${entry.byteLength} is not within the region's ${region.byteLength} bytes`,
        operation,
      )
    }
    entries.push(entry)
  }
  return entries
}

/** Checks that the records to be posted exist. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` */
export function checkRecords(words: Uint32Array, recordWords: number, count: number, first: number): void {
  const capacity = words.length / recordWords
  checkInteger('first', first, 0, capacity)
  checkInteger('count', count, 0, capacity - first)
}

/** A queue of receives, which holds at most `maxWorkRequests`. */
export class ReceiveQueue {
  readonly #host: Machine
  readonly records: Uint32Array
  readonly recordWords: number
  readonly maxWorkRequests: number
  readonly maxEntries: number
  readonly #waiting: ReceiveRequest[] = []
  /** Receives that were posted, and whose completion was not polled yet. */
  #occupied = 0

  constructor(host: Machine, maxWorkRequests: number, maxEntries: number) {
    this.#host = host
    this.maxWorkRequests = maxWorkRequests
    this.maxEntries = maxEntries
    this.recordWords = receiveRecordWords(maxEntries)
    this.records = new Uint32Array(maxWorkRequests * this.recordWords)
  }

  get length(): number {
    return this.#waiting.length
  }

  post(count: number, first: number, operation: string): number {
    checkRecords(this.records, this.recordWords, count, first)
    const requests: ReceiveRequest[] = []
    for (let index = first; index < first + count; index++) {
      const at = index * this.recordWords
      requests.push({
        idLow: this.records[at + RECEIVE.idLow] as number,
        idHigh: this.records[at + RECEIVE.idHigh] as number,
        entries: readEntries(
          this.#host,
          this.records,
          at + RECEIVE.headerWords,
          this.records[at + RECEIVE.entryCount] as number,
          this.maxEntries,
          operation,
        ),
      })
    }
    const posted = Math.min(count, this.maxWorkRequests - this.#occupied)
    this.#occupied += posted
    this.#waiting.push(...requests.slice(0, posted))
    return posted
  }

  take(): ReceiveRequest | undefined {
    return this.#waiting.shift()
  }

  /** The program polled the completion of a receive: its place is free again. */
  retire(): void {
    this.#occupied--
  }
}

export class SimulatedSharedReceiveQueue extends Resource implements SharedReceiveQueue {
  readonly queue: ReceiveQueue
  readonly queuePairs = new Set<Pick<MachineQueuePair, 'refresh'>>()
  readonly #device: MachineDevice
  #limit = 0

  constructor(host: Machine, device: MachineDevice, options: SharedReceiveQueueOptions) {
    const { attributes } = device
    const { maxWorkRequests, maxEntries = 1 } = options
    checkInteger('maxWorkRequests', maxWorkRequests, 1, attributes.maxSharedReceiveWorkRequests)
    checkInteger('maxEntries', maxEntries, 1, attributes.maxSharedReceiveEntries)
    device.checkLimit('sharedReceiveQueues', 'maxSharedReceiveQueues', 'ibv_create_srq')
    super(host, 'sharedReceiveQueues')
    this.#device = device
    this.queue = new ReceiveQueue(host, maxWorkRequests, maxEntries)
  }

  get maxWorkRequests(): number {
    return this.queue.maxWorkRequests
  }

  get maxEntries(): number {
    return this.queue.maxEntries
  }

  get receiveRequests(): Uint32Array {
    return this.queue.records
  }

  get receiveRecordWords(): number {
    return this.queue.recordWords
  }

  postReceive(count: number, first = 0): number {
    this.enter('ibv_post_srq_recv')
    const posted = this.queue.post(count, first, 'ibv_post_srq_recv')
    for (const queuePair of this.queuePairs) queuePair.refresh()
    return posted
  }

  setLimit(limit: number): void {
    this.enter('ibv_modify_srq')
    checkInteger('limit', limit, 0, this.maxWorkRequests)
    this.#limit = limit
  }

  take(): ReceiveRequest | undefined {
    const request = this.queue.take()
    if (this.queue.length < this.#limit) {
      this.#limit = 0
      this.#device.raise({
        type: 'srq-limit-reached',
        name: 'IBV_EVENT_SRQ_LIMIT_REACHED',
        sharedReceiveQueue: this,
      })
    }
    return request
  }

  protected release(): void {}
}
