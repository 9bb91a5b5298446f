/**
 * A driver around a driver that behaves as badly as the contract allows: it refuses sends and polls that could have
 * been served, takes part of what it is given, reports completions late, and calls the waker late or for nothing.
 */
import {
  type Address,
  type DisconnectOptions,
  NettsError,
  type PooledBuffer,
  type RecvCompletion,
  type Transport,
  type TransportBuilder,
} from '@netts/core'
import { Random } from '../src/harness/random.js'

class FaultyTransport implements Transport {
  readonly #inner: Transport
  readonly #random: Random
  #waker: (() => void) | undefined
  #isWaking = false
  #isPending = false
  #withheldCompletions = 0

  constructor(inner: Transport, random: Random) {
    this.#inner = inner
    this.#random = random
    inner.waker = () => this.#wakeLater()
  }

  get waker(): (() => void) | undefined {
    return this.#waker
  }

  set waker(waker: (() => void) | undefined) {
    this.#waker = waker
    if (this.#isPending) this.#wakeLater()
  }

  /** Calls the waker within a few turns. */
  #wakeLater(): void {
    this.#isPending = true
    if (this.#isWaking) return
    this.#isWaking = true
    let turns = this.#random.integer(1, 4)
    const run = () => {
      if (--turns > 0) {
        setImmediate(run)
        return
      }
      this.#isWaking = false
      if (!this.#waker) return
      this.#isPending = false
      try {
        this.#waker()
      } catch (cause) {
        this.#inner.destroy(new NettsError('ERR_NETTS_INTERNAL', 'the waker threw', { cause }))
      }
    }
    setImmediate(run)
  }

  /** Whether this call gets nothing, although it could; the waker follows. */
  #refuses(): boolean {
    if (this.#inner.state === 'closed' || !this.#random.chance(0.25)) return false
    this.#wakeLater()
    return true
  }

  sendCopy(data: Uint8Array): number {
    return this.sendGather([data])
  }

  sendGather(parts: readonly Uint8Array[]): number {
    const total = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
    // Misuse is the inner driver's to refuse.
    if (total === 0 || this.#inner.state !== 'open') return this.#inner.sendGather(parts)
    if (this.#refuses()) return 0
    if (this.#random.chance(0.7)) return this.#inner.sendGather(parts)
    const bytes = Buffer.concat(parts)
    return this.#inner.sendCopy(bytes.subarray(0, this.#random.integer(Math.ceil(total / 4), total)))
  }

  sendBuffer(buffer: PooledBuffer, byteOffset?: number, byteLength?: number): boolean {
    // Checked before it is refused, as the inner driver would.
    const usable = this.#inner.state === 'open' && (byteOffset ?? 0) < (buffer.byteLength ?? 0)
    const checked = usable && byteLength === undefined && buffer.pool.domain === this.bufferPool.domain
    const fits = checked && buffer.bytes.byteLength - (byteOffset ?? 0) <= this.maxSendSize
    if (fits && (byteOffset ?? 0) >= 0 && this.#refuses()) return false
    return this.#inner.sendBuffer(buffer, byteOffset, byteLength)
  }

  pollSendCompletion(): number {
    const completed = this.#inner.pollSendCompletion() + this.#withheldCompletions
    this.#withheldCompletions = 0
    if (completed > 0 && this.#refuses()) {
      this.#withheldCompletions = completed
      return 0
    }
    return completed
  }

  get sendsInFlight(): number {
    return this.state === 'closed' ? 0 : this.#inner.sendsInFlight + this.#withheldCompletions
  }

  get queuedBytes(): number {
    return this.#inner.queuedBytes
  }

  unacknowledgedBytes(): number | Promise<number> {
    return Promise.resolve(this.#inner.unacknowledgedBytes())
  }

  ref(): void {
    this.#inner.ref()
  }

  unref(): void {
    this.#inner.unref()
  }

  pollRecv(out: RecvCompletion[]): number {
    if (this.#refuses()) return 0
    const most = this.#random.chance(0.5) ? out.length : Math.min(1, out.length)
    const count = this.#inner.pollRecv(out.slice(0, most))
    if (count === 0 && most < out.length) this.#wakeLater()
    return count
  }

  recvBuf(chunkIndex: number): Uint8Array {
    return this.#inner.recvBuf(chunkIndex)
  }

  repostRecv(chunkIndex: number): void {
    this.#inner.repostRecv(chunkIndex)
  }

  get recvEnded(): boolean {
    return this.#inner.recvEnded
  }

  pollDisconnect(): boolean {
    return this.#inner.pollDisconnect()
  }

  get error() {
    return this.#inner.error
  }

  finish(): void {
    this.#inner.finish()
  }

  disconnect(options?: DisconnectOptions): void {
    this.#inner.disconnect(options)
  }

  destroy(error?: Parameters<Transport['destroy']>[0]): void {
    this.#inner.destroy(error)
  }

  get localAddress(): Address {
    return this.#inner.localAddress
  }

  get remoteAddress(): Address {
    return this.#inner.remoteAddress
  }

  get bufferPool() {
    return this.#inner.bufferPool
  }

  get maxSendSize(): number {
    return this.#inner.maxSendSize
  }

  get recvWindow(): number {
    return this.#inner.recvWindow
  }

  get capabilities() {
    return this.#inner.capabilities
  }

  get state() {
    return this.#inner.state
  }
}

/** Puts faults around every transport of a builder, as the seed decides. */
export function faulty(seed: number): (builder: TransportBuilder) => TransportBuilder {
  const random = new Random(seed)
  const wrap = (transport: Transport) => new FaultyTransport(transport, random)
  return (builder) => ({
    name: `faulty ${builder.name}`,
    connect: async (address, options) => wrap(await builder.connect(address, options)),
    async listen(address, options) {
      const listener = await builder.listen(address, options)
      const accept: typeof listener.accept = async (options) => {
        const transport = await listener.accept(options)
        return transport && wrap(transport)
      }
      return {
        address: listener.address,
        accept,
        close: () => listener.close(),
        ref: () => listener.ref(),
        unref: () => listener.unref(),
        [Symbol.asyncDispose]: () => listener.close(),
        async *[Symbol.asyncIterator]() {
          for (let transport = await accept(); transport; transport = await accept()) yield transport
        },
      }
    },
  })
}
