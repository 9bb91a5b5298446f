/** Received memory that contains whole messages, and their leases. */
import { NettsError } from '../errors.js'
import type { MessageLease } from './connection.js'
import { HEADER_BYTES, readHeader } from './framing.js'

/** The owner of runs, which gets each back when nothing reads it any more. */
export interface RunOwner {
  onFree(run: MessageRun): void
}

/** Consecutive whole messages. It is freed when all of them were taken and their leases released. */
export class MessageRun {
  /** The memory that contains them. */
  bytes: Uint8Array
  /** The chunk of the transport; `undefined` for memory of the connection. */
  readonly chunkIndex: number | undefined
  /** How many messages were not taken yet. */
  messages: number
  /** Where the payload of the next message begins, and its length. */
  byteOffset: number
  byteLength: number
  /** Whether the owner counts it as held by leases. */
  isLeased = false
  next: MessageRun | undefined
  readonly #owner: RunOwner
  // The queue's own reference is one of them.
  #references = 1

  /**
   * @param messages how many messages; each except the first follows its header
   * @param byteOffset where the payload of the first begins
   */
  constructor(
    owner: RunOwner,
    bytes: Uint8Array,
    chunkIndex: number | undefined,
    messages: number,
    byteOffset: number,
    byteLength: number,
  ) {
    this.#owner = owner
    this.bytes = bytes
    this.chunkIndex = chunkIndex
    this.messages = messages
    this.byteOffset = byteOffset
    this.byteLength = byteLength
  }

  /** The next message was taken: advances to the one after it, if there is one. */
  advance(): void {
    if (--this.messages === 0) return
    const header = this.byteOffset + this.byteLength
    this.byteLength = readHeader(this.bytes, header)
    this.byteOffset = header + HEADER_BYTES
  }

  retain(): void {
    this.#references++
  }

  release(): void {
    if (--this.#references === 0) this.#owner.onFree(this)
  }
}

/**
 * A lease of one message. It takes 56 bytes of heap, and has only four fields for that reason. A private method that is not
 * static would add another field to each object, its brand.
 */
export class RunLease implements MessageLease {
  readonly #byteLength: number
  readonly #byteOffset: number
  #run: MessageRun | undefined
  #bytes: Uint8Array | undefined

  constructor(run: MessageRun, byteOffset: number, byteLength: number) {
    this.#run = run
    this.#byteOffset = byteOffset
    this.#byteLength = byteLength
  }

  get bytes(): Uint8Array {
    const { bytes } = RunLease.#held(this, 'bytes')
    this.#bytes ??= new Uint8Array(bytes.buffer, bytes.byteOffset + this.#byteOffset, this.#byteLength)
    return this.#bytes
  }

  get byteLength(): number {
    RunLease.#held(this, 'byteLength')
    return this.#byteLength
  }

  get chunk(): Uint8Array {
    return RunLease.#held(this, 'chunk').bytes
  }

  get byteOffset(): number {
    RunLease.#held(this, 'byteOffset')
    return this.#byteOffset
  }

  release(): void {
    const run = RunLease.#held(this, 'release')
    this.#run = this.#bytes = undefined
    run.release()
  }

  [Symbol.dispose](): void {
    if (this.#run !== undefined) this.release()
  }

  static #held(lease: RunLease, operation: string): MessageRun {
    const run = lease.#run
    if (run === undefined) throw leaseReleased(operation)
    return run
  }
}

function leaseReleased(operation: string): NettsError {
  return new NettsError('ERR_NETTS_BUFFER_RELEASED', 'this lease was released before', { operation })
}
