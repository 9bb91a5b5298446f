/** One end of a mock connection: a driver like any other, over two in-memory pipes. */
import {
  type Address,
  type BufferPool,
  NettsError,
  type PooledBuffer,
  type RecvCompletion,
  type Transport,
  type TransportCapabilities,
  type TransportState,
} from '@netts/core'
import { ChunkTable, checkSendRange, invalidArgument, takeSlot, timedOut, Waker } from '@netts/core/driver'
import type { MockClock } from './clock.js'
import type { Chunk, Goodbye, Pipe, PipeReceiver, PipeSender } from './pipe.js'
import type { Recorder } from './recorder.js'
import type { Turns } from './turns.js'

const CAPABILITIES: TransportCapabilities = Object.freeze({ detectsPeerCrash: true, reset: true })

/** The contract's deadline for `disconnect`. */
const DISCONNECT_TIMEOUT_MS = 5000

/** Overwrites released chunks, as an adapter would: whoever still reads them finds this. */
const POISON = 0xdb

/** What a mock transport is made of. */
export interface MockTransportParts {
  readonly localAddress: Address
  readonly remoteAddress: Address
  readonly bufferPool: BufferPool
  readonly maxSendSize: number
  readonly recvWindow: number
  readonly outgoing: Pipe
  readonly incoming: Pipe
  readonly clock: MockClock
  readonly turns: Turns
  readonly recorder: Recorder
}

/** One end of a connection within a mock network. */
export class MockTransport implements Transport, PipeSender, PipeReceiver {
  readonly localAddress: Address
  readonly remoteAddress: Address
  readonly bufferPool: BufferPool
  readonly maxSendSize: number
  readonly recvWindow: number
  readonly capabilities = CAPABILITIES
  readonly #outgoing: Pipe
  readonly #incoming: Pipe
  readonly #clock: MockClock
  readonly #turns: Turns
  readonly #recorder: Recorder
  readonly #waker = new Waker()
  readonly #arrived: Chunk[] = []
  readonly #handedOut = new ChunkTable<Chunk>()
  #state: TransportState = 'open'
  #error: NettsError | undefined
  #completed = 0
  /** The local side said that it sends no more, so that a send is misuse. */
  #saidEnd = false
  #endArrived = false
  #peerEnded = false
  #disconnectTimer: unknown

  constructor(parts: MockTransportParts) {
    this.localAddress = parts.localAddress
    this.remoteAddress = parts.remoteAddress
    this.bufferPool = parts.bufferPool
    this.maxSendSize = parts.maxSendSize
    this.recvWindow = parts.recvWindow
    this.#outgoing = parts.outgoing
    this.#incoming = parts.incoming
    this.#clock = parts.clock
    this.#turns = parts.turns
    this.#recorder = parts.recorder
    this.#outgoing.sender = this
    this.#incoming.receiver = this
  }

  get state(): TransportState {
    return this.#state
  }

  get error(): NettsError | undefined {
    return this.#error
  }

  get waker(): (() => void) | undefined {
    return this.#waker.callback
  }

  set waker(callback: (() => void) | undefined) {
    this.#waker.callback = callback
  }

  sendCopy(data: Uint8Array): number {
    return this.sendGather([data])
  }

  sendGather(parts: readonly Uint8Array[]): number {
    let total = 0
    for (const part of parts) {
      if (!(part instanceof Uint8Array)) throw invalidArgument('data must be a Uint8Array', 'send')
      total += part.byteLength
    }
    if (total === 0) throw invalidArgument('data must not be empty', 'send')
    if (!this.#canSend()) return 0
    const accepted = this.#outgoing.faults.accepts(Math.min(total, this.maxSendSize))
    const bytes = new Uint8Array(accepted)
    let filled = 0
    for (const part of parts) {
      const piece = part.subarray(0, accepted - filled)
      bytes.set(piece, filled)
      filled += piece.byteLength
    }
    this.#recorder.record(bytes)
    this.#outgoing.push(bytes)
    return accepted
  }

  sendBuffer(buffer: PooledBuffer, byteOffset = 0, byteLength?: number): boolean {
    const length = checkSendRange(buffer, this.bufferPool.domain, this.maxSendSize, byteOffset, byteLength)
    if (!this.#canSend()) return false
    const slot = takeSlot(buffer)
    const begin = slot.byteOffset + byteOffset
    const bytes = slot.slab.subarray(begin, begin + length)
    this.#recorder.record(bytes)
    this.#outgoing.push(bytes, () => slot.free())
    return true
  }

  #canSend(): boolean {
    if (this.#saidEnd) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', 'this side said that it sends no more', {
        operation: 'send',
        address: this.remoteAddress,
      })
    }
    if (this.#state === 'closed' || !this.#outgoing.hasCapacity) return false
    if (!this.#outgoing.faults.refuses()) return true
    this.#turns.next(() => this.#waker.wake())
    return false
  }

  pollSendCompletion(): number {
    const completed = this.#completed
    this.#completed = 0
    return completed
  }

  get sendsInFlight(): number {
    return this.#state === 'closed' ? 0 : this.#outgoing.inFlight + this.#completed
  }

  pollRecv(out: RecvCompletion[]): number {
    const count = Math.min(out.length, this.#arrived.length)
    for (let i = 0; i < count; i++) {
      const chunk = this.#arrived[i]!
      out[i]!.chunkIndex = this.#handedOut.add(chunk)
      out[i]!.byteLength = chunk.bytes.byteLength
    }
    this.#arrived.splice(0, count)
    return count
  }

  recvBuf(chunkIndex: number): Uint8Array {
    return this.#handedOut.get(chunkIndex).bytes
  }

  repostRecv(chunkIndex: number): void {
    const chunk = this.#handedOut.remove(chunkIndex)
    chunk.bytes.fill(POISON)
    this.#incoming.release(chunk)
  }

  get recvEnded(): boolean {
    return this.#peerEnded && this.#arrived.length === 0
  }

  pollDisconnect(): boolean {
    return this.#state === 'closed'
  }

  finish(): void {
    if (this.#state === 'open') this.#state = 'finished'
    this.#sayEnd()
  }

  disconnect(): void {
    if (this.#state === 'closed' || this.#state === 'disconnecting') {
      this.#saidEnd = true
      return
    }
    this.#state = 'disconnecting'
    this.#sayEnd()
    for (const chunk of this.#arrived.splice(0)) this.#incoming.release(chunk)
    this.#incoming.discard()
    this.#disconnectTimer = this.#clock.setTimeout(() => this.#giveUp(), DISCONNECT_TIMEOUT_MS)
    this.#closeIfDone()
  }

  destroy(error?: NettsError): void {
    this.#saidEnd = true
    this.#close(
      error ?? new NettsError('ERR_NETTS_DESTROYED', 'the transport was destroyed', { operation: 'destroy' }),
      'reset',
    )
  }

  #sayEnd(): void {
    if (this.#saidEnd) return
    this.#saidEnd = true
    if (this.#state !== 'closed') this.#outgoing.end()
  }

  /** This end goes at once, whatever its application thinks of it: the script's doing. */
  onFault(goodbye: Goodbye): void {
    this.#close(new NettsError('ERR_NETTS_DESTROYED', 'the mock network made this side fail'), goodbye)
  }

  onCompleted(): void {
    this.#completed++
    this.#waker.wake()
  }

  onEndArrived(): void {
    this.#endArrived = true
    this.#closeIfDone()
  }

  onChunk(chunk: Chunk): void {
    this.#arrived.push(chunk)
    this.#waker.wake()
  }

  onEnd(): void {
    this.#peerEnded = true
    this.#closeIfDone()
    this.#waker.wake()
  }

  onPeerGone(goodbye: Goodbye): void {
    if (this.#state === 'closed') return
    if (goodbye === 'end') {
      this.onEnd()
      return
    }
    this.#end(
      goodbye === 'reset'
        ? new NettsError('ERR_NETTS_RESET', 'the peer destroyed the connection', {
            address: this.remoteAddress,
          })
        : new NettsError('ERR_NETTS_PEER_LOST', 'the peer crashed', { address: this.remoteAddress }),
    )
  }

  #closeIfDone(): void {
    if (this.#endArrived && this.#peerEnded) this.#end(undefined)
  }

  /** The peer never finished: harmless, unless something accepted did not reach it. */
  #giveUp(): void {
    if (this.#endArrived) this.#close(undefined, 'end')
    else this.#close(timedOut('disconnect', DISCONNECT_TIMEOUT_MS, this.remoteAddress), 'reset')
  }

  #close(error: NettsError | undefined, goodbye: Goodbye): void {
    if (this.#state === 'closed') return
    this.#end(error)
    this.#outgoing.abandon(goodbye)
    if (goodbye === 'end') this.#incoming.discard()
    else this.#incoming.halt()
  }

  #end(error: NettsError | undefined): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#error = error
    this.#clock.clearTimeout(this.#disconnectTimer)
    this.#outgoing.close()
    this.#waker.wake()
  }
}
