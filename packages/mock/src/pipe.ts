/**
 * One direction of a mock connection: sends wait here until the receiver has room, arrive in a later turn,
 * and complete once they arrived. Slots and bytes are granted again as the receiver releases chunks.
 */
import { NettsError } from '@netts/core'
import type { BufferSlot } from '@netts/core/driver'
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
  /** The memory of a send went away before all of it was read, or giving it back threw. */
  onBroken(error: unknown): void
}

/** What a pipe tells the end that receives from it. */
export interface PipeReceiver {
  onChunk(chunk: Chunk): void
  /** The sender finished, or is gone. */
  onGoodbye(goodbye: Goodbye): void
}

/** Received bytes, in memory of their own; what they hold of the receiver's room comes back on release. */
export interface Chunk {
  readonly bytes: Uint8Array
  readonly send: Send
}

interface Send {
  readonly bytes: Uint8Array
  /** How long `bytes` are, as long as they have their memory; 0 for the end. */
  readonly byteLength: number
  /** To be freed once the bytes are needed no more. */
  readonly slot: BufferSlot | undefined
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
  readonly #queue: Send[] = []
  #inFlight = 0
  #queuedBytes = 0
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

  /** Bytes of theirs. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get hasCapacity(): boolean {
    return !this.#closed && this.#inFlight < this.#limits.sendSlots
  }

  /** Puts bytes on their way; they are read when they arrive. @param slot where they lie, if that is to be freed */
  push(bytes: Uint8Array, slot?: BufferSlot): void {
    this.#inFlight++
    this.#queuedBytes += bytes.byteLength
    this.#put(bytes, slot)
  }

  /** Puts the end on its way, behind everything pushed before. */
  end(): void {
    this.#put(new Uint8Array(0), undefined)
  }

  #put(bytes: Uint8Array, slot: BufferSlot | undefined): void {
    const send: Send = { bytes, byteLength: bytes.byteLength, slot, taken: 0, unreleased: 0, arrived: false }
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
    for (const send of this.#queue.splice(0)) send.slot?.free()
    this.#inFlight = this.#queuedBytes = 0
  }

  /** The sender is gone: what is on its way is dropped, and the receiver learns of it. */
  abandon(goodbye: Goodbye): void {
    this.close()
    this.#turns.after(this.faults.latencyMs, 1, () => this.receiver.onGoodbye(goodbye))
  }

  #deliver(): void {
    try {
      this.#deliverAll()
    } catch (error) {
      this.sender.onBroken(error)
    }
  }

  #deliverAll(): void {
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
    const total = send.byteLength
    if (total === 0) {
      this.#queue.shift()
      this.sender.onEndArrived()
      this.receiver.onGoodbye('end')
      return true
    }
    if (send.taken === 0) {
      if (this.faults.crashes()) {
        this.sender.onFault('crash')
        return false
      }
      if (this.#reading && !this.#reserve(send)) return false
    }
    if (send.bytes.byteLength !== total) {
      throw new NettsError(
        'ERR_NETTS_BUFFER_DETACHED',
        'memory was transferred or resized before it was read',
      )
    }
    const beforeFault =
      Math.min(this.faults.crashAfterBytes, this.faults.endAfterBytes, this.#stallAt) - this.#delivered
    const length = Math.min(this.faults.chunk(total - send.taken), beforeFault)
    // Not slice: that of a Buffer copies nothing.
    const bytes = new Uint8Array(send.bytes.subarray(send.taken, send.taken + length))
    send.taken += length
    this.#delivered += length
    this.#queuedBytes -= length
    if (send.taken === total) {
      this.#queue.shift()
      this.#inFlight--
      send.slot?.free()
      this.sender.onCompleted()
    }
    if (this.#reading) this.receiver.onChunk({ bytes, send })
    return true
  }

  /** Takes the room that a whole send needs at the receiver. */
  #reserve(send: Send): boolean {
    const { recvSlots, recvWindow } = this.#limits
    const { byteLength } = send
    if (this.#usedSlots >= recvSlots || this.#usedBytes + byteLength > recvWindow) return false
    this.#usedSlots++
    this.#usedBytes += byteLength
    send.unreleased = byteLength
    return true
  }
}
