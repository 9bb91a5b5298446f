/**
 * One direction of a mock connection: sends wait here until the receiver has room, arrive in a later turn,
 * and complete once they arrived. Slots and bytes are granted again as the receiver releases chunks.
 */
import type { SendFaults } from './faults.js'
import type { MockLimits } from './limits.js'
import type { Turns } from './turns.js'

/** How an end says goodbye: with a reset, not at all, or with what looks like a clean end. */
export type Goodbye = 'reset' | 'crash' | 'end'

/** What a pipe tells the end that sends into it. */
export interface PipeSender {
  /** A send arrived, or was discarded by a peer that reads no more. */
  onCompleted(): void
  /** The end arrived, after everything before. */
  onEndArrived(): void
  /** A fault: this end is to go now. */
  onFault(goodbye: Goodbye): void
}

/** What a pipe tells the end that receives from it. */
export interface PipeReceiver {
  onChunk(chunk: Chunk): void
  onEnd(): void
  onPeerGone(goodbye: Goodbye): void
}

/** Received bytes, in memory of their own; what they hold of the receiver's room comes back on release. */
export interface Chunk {
  readonly bytes: Uint8Array
  readonly send: Send
}

interface Send {
  /** Empty for the end. */
  readonly bytes: Uint8Array
  /** Called once the bytes are needed no more. */
  readonly free: (() => void) | undefined
  taken: number
  unreleased: number
  arrived: boolean
}

/** One direction of a connection. */
export class Pipe {
  sender!: PipeSender
  receiver!: PipeReceiver
  readonly faults: SendFaults
  readonly #limits: MockLimits
  readonly #turns: Turns
  #queue: Send[] = []
  #inFlight = 0
  #delivered = 0
  #usedSlots = 0
  #usedBytes = 0
  #stalled = false
  #stallAt: number
  #reading = true
  #halted = false
  #closed = false

  /** @param limits `sendSlots` of the sender; `recvSlots` and `recvWindow` of the receiver */
  constructor(turns: Turns, limits: MockLimits, faults: SendFaults) {
    this.#turns = turns
    this.#limits = limits
    this.faults = faults
    this.#stallAt = faults.stallAfterBytes
    // Faults after 0 bytes wait for no send.
    if (Math.min(faults.crashAfterBytes, faults.endAfterBytes) === 0) turns.next(() => this.#deliver())
  }

  /** Sends that neither arrived nor were dropped. */
  get inFlight(): number {
    return this.#inFlight
  }

  get hasCapacity(): boolean {
    return !this.#closed && this.#inFlight < this.#limits.sendSlots
  }

  /** Puts bytes on their way; they are read when they arrive. @param free called once they are needed no more */
  push(bytes: Uint8Array, free?: () => void): void {
    this.#inFlight++
    this.#put({ bytes, free, taken: 0, unreleased: 0, arrived: false })
  }

  /** Puts the end on its way, behind everything pushed before. */
  end(): void {
    this.#put({ bytes: new Uint8Array(0), free: undefined, taken: 0, unreleased: 0, arrived: false })
  }

  #put(send: Send): void {
    this.#queue.push(send)
    this.#turns.after(this.faults.latencyMs, this.faults.turns(), () => {
      send.arrived = true
      this.#deliver()
    })
  }

  /** Nothing arrives until `resume`. */
  stall(): void {
    this.#stalled = true
  }

  resume(): void {
    this.#stalled = false
    this.#turns.next(() => this.#deliver())
  }

  /** The receiver gives the room of a chunk back. */
  release(chunk: Chunk): void {
    this.#usedBytes -= chunk.bytes.byteLength
    chunk.send.unreleased -= chunk.bytes.byteLength
    if (chunk.send.unreleased === 0) this.#usedSlots--
    if (this.#queue.length > 0) this.#turns.next(() => this.#deliver())
  }

  /** The receiver wants no more: what arrives from now on is discarded. */
  discard(): void {
    this.#reading = false
    if (this.#queue.length > 0) this.#turns.next(() => this.#deliver())
  }

  /** The receiver is gone: nothing arrives any more, and nothing completes. */
  halt(): void {
    this.#halted = true
  }

  /** Drops what is on its way; nothing is taken or delivered any more. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const send of this.#queue) send.free?.()
    this.#queue = []
    this.#inFlight = 0
  }

  /** The sender is gone: what is on its way is dropped, and the receiver learns of it. */
  abandon(goodbye: Goodbye): void {
    this.close()
    this.#turns.after(this.faults.latencyMs, 1, () => this.receiver.onPeerGone(goodbye))
  }

  #deliver(): void {
    while (!this.#closed && !this.#halted && !this.#stalled) {
      if (this.#delivered >= Math.min(this.faults.crashAfterBytes, this.faults.endAfterBytes)) {
        this.sender.onFault(this.#delivered >= this.faults.crashAfterBytes ? 'crash' : 'end')
        return
      }
      if (this.#delivered >= this.#stallAt) {
        this.#stallAt = Infinity
        this.stall()
        return
      }
      const send = this.#queue[0]
      if (!send?.arrived || !this.#deliverChunk(send)) return
    }
  }

  /** @returns whether anything moved */
  #deliverChunk(send: Send): boolean {
    const total = send.bytes.byteLength
    if (total === 0) {
      this.#queue.shift()
      this.sender.onEndArrived()
      this.receiver.onEnd()
      return true
    }
    if (send.taken === 0) {
      if (this.faults.crashes()) {
        this.sender.onFault('crash')
        return false
      }
      if (this.#reading && !this.#reserve(send)) return false
    }
    const beforeFault =
      Math.min(this.faults.crashAfterBytes, this.faults.endAfterBytes, this.#stallAt) - this.#delivered
    const length = Math.min(this.faults.chunk(total - send.taken), beforeFault)
    // Not slice: that of a Buffer copies nothing.
    const bytes = new Uint8Array(send.bytes.subarray(send.taken, send.taken + length))
    send.taken += length
    this.#delivered += length
    if (send.taken === total) {
      this.#queue.shift()
      this.#inFlight--
      send.free?.()
      this.sender.onCompleted()
    }
    if (this.#reading) this.receiver.onChunk({ bytes, send })
    return true
  }

  /** Takes the room that a whole send needs at the receiver. */
  #reserve(send: Send): boolean {
    const { recvSlots, recvWindow } = this.#limits
    const byteLength = send.bytes.byteLength
    if (this.#usedSlots >= recvSlots || this.#usedBytes + byteLength > recvWindow) return false
    this.#usedSlots++
    this.#usedBytes += byteLength
    send.unreleased = byteLength
    return true
  }
}
