/**
 * One direction of a mock connection: sends wait here until the receiver has room, arrive in a later turn of the event loop,
 * and then complete. When the receiver releases chunks, their slots and bytes are free again.
 */
import { NettsError } from '@netts/core'
import type { BufferSlot } from '@netts/core/driver'
import type { SendFaults } from './faults.js'
import type { MockLimits } from './limits.js'
import type { Turns } from './turns.js'

/** How a direction ends, as the receiver sees it: by a reset, a crash, or a clean end. */
export type Goodbye = 'reset' | 'crash' | 'end'

/** What a pipe calls in the transport that sends into it. */
export interface PipeSender {
  /** A send arrived, or was discarded because the peer no longer reads. */
  onCompleted(): void
  /** The end arrived, after all sends before it. */
  onEndArrived(): void
  /** A fault ends this transport now. */
  onFault(goodbye: Goodbye): void
  /** The memory of a send was detached before all of it was read, or freeing it threw. */
  onBroken(error: unknown): void
}

/** What a pipe calls in the transport that receives from it. */
export interface PipeReceiver {
  onChunk(chunk: Chunk): void
  /** The sender finished or is gone. */
  onGoodbye(goodbye: Goodbye): void
}

/** Received bytes, in memory of their own. A release frees their part of the receiver's room. */
export interface Chunk {
  readonly bytes: Uint8Array
  readonly send: Send
}

interface Send {
  readonly bytes: Uint8Array
  /** The length of `bytes` when they were sent; 0 for the end. */
  readonly byteLength: number
  /** Freed when the bytes were read. */
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
    // Faults after 0 bytes do not wait for a send.
    if (Math.min(faults.crashAfterBytes, faults.endAfterBytes) === 0) turns.next(() => this.#deliver())
  }

  /** How many sends neither arrived nor were dropped. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** How many of their bytes did not arrive yet. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get hasCapacity(): boolean {
    return !this.#closed && this.#inFlight < this.#limits.sendSlots
  }

  /** Sends bytes; they are read when they arrive. @param slot the memory of the bytes, if it has to be freed afterwards */
  push(bytes: Uint8Array, slot?: BufferSlot): void {
    this.#inFlight++
    this.#queuedBytes += bytes.byteLength
    this.#put(bytes, slot)
  }

  /** Sends the end, after everything pushed before. */
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

  /** The receiver releases a chunk. */
  release(chunk: Chunk): void {
    this.#usedBytes -= chunk.bytes.byteLength
    chunk.send.unreleased -= chunk.bytes.byteLength
    if (chunk.send.unreleased === 0) this.#usedSlots--
    if (this.#queue.length > 0) this.#turns.next(() => this.#deliver())
  }

  /** The receiver no longer reads: bytes that arrive from now on are discarded. */
  discard(): void {
    this.#reading = false
    if (this.#queue.length > 0) this.#turns.next(() => this.#deliver())
  }

  /** The receiver is gone: nothing arrives any more, and nothing completes. */
  halt(): void {
    this.#halted = true
  }

  /** Drops the sends that did not arrive. Nothing is accepted or delivered any more. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const send of this.#queue.splice(0)) send.slot?.free()
    this.#inFlight = this.#queuedBytes = 0
  }

  /** The sender is gone: the sends that did not arrive are dropped, and the receiver is told. */
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
        'the memory of a send was transferred or resized before it was read',
      )
    }
    const beforeFault =
      Math.min(this.faults.crashAfterBytes, this.faults.endAfterBytes, this.#stallAt) - this.#delivered
    const length = Math.min(this.faults.chunk(total - send.taken), beforeFault)
    // Not `slice`, which does not copy if it is that of a Buffer.
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
