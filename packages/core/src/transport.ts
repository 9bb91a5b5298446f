/**
 * The one contract that a driver implements: an ordered, reliable pipe of byte chunks with explicit
 * buffer ownership, the builder that connects and listens, and the listener.
 *
 * It is poll-based, because that is the only shape in which a hot loop allocates nothing. Promises are
 * built on top of it once, in {@link Connection}.
 */
import type { Address } from './address.js'
import type { BufferPool, PooledBuffer } from './buffer-pool/buffer-pool.js'
import type { NettsError } from './errors.js'

/** One received chunk, as {@link Transport.pollRecv} reports it. */
export interface RecvCompletion {
  /** Names the chunk for {@link Transport.recvBuf} and {@link Transport.repostRecv}. */
  chunkIndex: number
  /** The chunk's length in bytes; at least 1. */
  byteLength: number
}

/**
 * Where a transport is in its life. Transitions only go down this list:
 *
 * - `open`: both directions work (as far as the local side is concerned);
 * - `finished`: the local side said {@link Transport.finish}; it can still receive;
 * - `disconnecting`: {@link Transport.disconnect} is delivering what was accepted;
 * - `closed`: nothing moves any more, as far as the local side is concerned. {@link Transport.error} tells a failure
 *   from a clean end.
 */
export type TransportState = 'open' | 'finished' | 'disconnecting' | 'closed'

/** How to disconnect. */
export interface DisconnectOptions {
  /**
   * How long the wire may take nothing of what was accepted before the rest is given up, and then how long the peer's
   * end is waited for behind the end, in milliseconds. 0 waits for ever. @default 5000
   */
  readonly timeoutMs?: number | undefined
}

/** What the wire below a transport can say. Conformance holds every driver to it. */
export interface TransportCapabilities {
  /** A peer that crashed is reported as an error, never as a clean end. */
  readonly detectsPeerCrash: boolean
  /** {@link Transport.destroy} reaches the peer as an error, even between messages. */
  readonly reset: boolean
}

/**
 * An ordered, reliable, full-duplex pipe of byte chunks. Chunk boundaries carry no meaning: a driver
 * may split and join them.
 *
 * Polls never throw for what the network did; a failed transport refuses sends, reports what arrived
 * before, and {@link pollDisconnect} is `true` and {@link error} set. Only misuse throws.
 *
 * **What arrived and was not polled** stays readable when the peer or the network ended the transport. This side's own
 * {@link disconnect} and {@link destroy} discard it: who wants it polls before. Chunks that were handed out stay
 * readable until their release, whatever happened.
 *
 * **Waker rules.** After a call that said "nothing" (a refused send, an empty poll), {@link waker} is
 * called at least once after that could have changed, be it data, a completion, a credit, the end or an
 * error. It is never called from inside a method of the transport; several causes may share one call;
 * assigning it while something is already pending schedules a call; it may call any method, `destroy`
 * included. What it throws ends this transport with `ERR_NETTS_INTERNAL`, and nothing else.
 *
 * **The process** is kept alive by an open transport, until it is closed or {@link unref} was called.
 */
export interface Transport {
  /**
   * Copies as much of `data` as fits into send buffers and posts it.
   *
   * @returns bytes accepted: up to {@link maxSendSize}; 0 when there is no capacity now, or when the
   *   transport failed ({@link pollDisconnect} tells which). `data` is the caller's again on return.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for empty data, `ERR_NETTS_INVALID_STATE` after this
   *   side's own `finish`, `disconnect` or `destroy`.
   */
  sendCopy(data: Uint8Array): number
  /** Like {@link sendCopy}, for several slices that follow one another; empty slices are skipped. */
  sendGather(parts: readonly Uint8Array[]): number
  /**
   * Sends part of a pooled buffer without copying it.
   *
   * On `true` the buffer belongs to the transport, which returns it to its pool once the send completed
   * or was dropped; the caller must not touch it again. Its bytes are read, and never changed: a {@link Connection}
   * lends an application's memory this way. On `false` (no capacity now, or the transport failed) it remains the
   * caller's.
   *
   * @param byteOffset @default 0
   * @param byteLength up to {@link maxSendSize}. @default the rest of the buffer
   * @throws NettsError `ERR_NETTS_FOREIGN_BUFFER` when its memory is not of the same
   *   {@link BufferPool.domain} as {@link bufferPool}; `ERR_NETTS_BUFFER_RELEASED`;
   *   `ERR_NETTS_INVALID_ARGUMENT` for a range that is empty, too long or outside of the buffer;
   *   `ERR_NETTS_INVALID_STATE` as for {@link sendCopy}. The buffer then remains the caller's.
   */
  sendBuffer(buffer: PooledBuffer, byteOffset?: number, byteLength?: number): boolean
  /**
   * How many sends completed since this was last asked: for RDMA, the peer's adapter has acknowledged
   * them; for sockets, the kernel has taken them. Every accepted send (each call that returned a positive
   * number or `true`) counts as one.
   */
  pollSendCompletion(): number
  /** Accepted sends that {@link pollSendCompletion} has not reported yet; 0 once closed. */
  readonly sendsInFlight: number
  /**
   * Bytes that were accepted and not taken by the wire yet: for RDMA, the peer's adapter has not acknowledged them; for
   * sockets, the kernel has not taken them. 0 once closed. As it falls, the peer takes something.
   */
  readonly queuedBytes: number
  /**
   * For a deadline, before it judges the peer: {@link queuedBytes}, and where the system tells, what of the rest the
   * peer's host has not acknowledged (TCP on Linux). It may have to be looked up, so it is nothing for a hot path.
   * Never rejects.
   */
  unacknowledgedBytes(): number | Promise<number>
  /**
   * Reports received chunks, in order, by writing into the objects of `out` from its beginning.
   * What does not fit stays queued.
   *
   * @returns how many entries were filled; 0 when there is nothing now.
   */
  pollRecv(out: RecvCompletion[]): number
  /**
   * The bytes of a chunk that {@link pollRecv} reported, in place: valid until {@link repostRecv}, also
   * after the transport closed.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an index that is not handed out.
   */
  recvBuf(chunkIndex: number): Uint8Array
  /**
   * Releases a chunk, so that the peer may send as much again. Any order is fine.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an index that is not handed out, such as one
   *   released before.
   */
  repostRecv(chunkIndex: number): void
  /** The peer finished, and every chunk it sent before has been handed out by {@link pollRecv}. */
  readonly recvEnded: boolean
  /** Whether the transport is closed in both directions, or failed. */
  pollDisconnect(): boolean
  /** Why the transport failed; `undefined` while it works and after a clean end. */
  readonly error: NettsError | undefined
  /**
   * Half-close: nothing more will be sent. The peer's {@link recvEnded} follows once it has been handed
   * every byte sent before. Idempotent, and without effect on a closed transport.
   */
  finish(): void
  /**
   * Closes gracefully: everything accepted is delivered, then the end is said; input is discarded from here on.
   * {@link pollDisconnect} tells when it is done: when the wire took all of it and the end (TCP: the kernel; RDMA: the
   * peer's adapter), whether the peer finishes or not. If it takes nothing for `timeoutMs`, {@link error} is
   * `ERR_NETTS_TIMEOUT`, and the rest is lost.
   *
   * Behind that the wire is kept until the peer finishes too, for `timeoutMs` at most, and so is the process: closed
   * over input that nobody read, it would be reset, and the peer could lose what it has not read. Idempotent: the first
   * `timeoutMs` stands.
   *
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for options out of range
   */
  disconnect(options?: DisconnectOptions): void
  /**
   * Closes at once. Unsent data is dropped and the peer learns it as an error where
   * {@link TransportCapabilities.reset} says so. Idempotent: the first error stands. After a `disconnect` that is done
   * it only gives up the wait for the peer's end.
   *
   * @param error becomes {@link Transport.error}. @default a NettsError with `ERR_NETTS_DESTROYED`
   */
  destroy(error?: NettsError): void
  /** Keeps the process alive while it is open, which it does from the beginning. */
  ref(): void
  /** Lets the process end although this is open. */
  unref(): void
  /** The one callback; see the waker rules above. */
  waker: (() => void) | undefined
  /** The address at this end. */
  readonly localAddress: Address
  /** The address of the peer. */
  readonly remoteAddress: Address
  /** Where buffers for {@link sendBuffer} come from. Transports of one builder may share it. */
  readonly bufferPool: BufferPool
  /** The most bytes that one send can take; at least 1024. */
  readonly maxSendSize: number
  /**
   * How many received bytes may be handed out and not released before the peer has to wait. The chunk that fills
   * the window may go beyond it; the next one is not handed out before a release.
   */
  readonly recvWindow: number
  readonly capabilities: TransportCapabilities
  readonly state: TransportState
}

/** How to connect. */
export interface ConnectOptions {
  /** Cancels the attempt; nothing of it is left behind. */
  readonly signal?: AbortSignal | undefined
  /** The one deadline over name lookup, route and handshake, in milliseconds. @default 10000 */
  readonly timeoutMs?: number | undefined
}

/** How to listen. */
export interface ListenOptions {
  /**
   * How many connections may wait for {@link TransportListener.accept}; further ones are rejected, with
   * a reason where the wire has room for one. @default 511, as in node:net
   */
  readonly backlog?: number | undefined
}

/** How to accept. */
export interface AcceptOptions {
  /** Cancels the wait; no connection is lost by it. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A driver with its configuration: immutable, and reusable for any number of connections.
 * A driver's package exports a factory for it, such as `tcp()`.
 */
export interface TransportBuilder<T extends Transport = Transport> {
  /** The driver's name, such as `tcp`. */
  readonly name: string
  /**
   * Connects, within one deadline.
   *
   * Rejects with a NettsError: `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_ABORTED`, `ERR_NETTS_TIMEOUT`,
   * `ERR_NETTS_CONNECT_FAILED` or `ERR_NETTS_REJECTED`. Nothing is left behind then.
   */
  connect(address: Address, options?: ConnectOptions): Promise<T>
  /**
   * Starts listening. Rejects with `ERR_NETTS_INVALID_ARGUMENT` or `ERR_NETTS_LISTEN_FAILED`.
   */
  listen(address: Address, options?: ListenOptions): Promise<TransportListener<T>>
}

/** Listens, and completes handshakes as requests come. Iterating it accepts until it is closed. */
export interface TransportListener<T extends Transport = Transport>
  extends AsyncIterable<T>,
    AsyncDisposable {
  /** Where it listens; the port is the one chosen when 0 was asked for. */
  readonly address: Address
  /**
   * The next connection, in the order in which they were established; several calls are served in
   * order. One client's failed handshake is not seen here.
   *
   * @returns `undefined` once the listener is closed.
   * Rejects with `ERR_NETTS_ABORTED`, or with what broke the listener itself.
   */
  accept(options?: AcceptOptions): Promise<T | undefined>
  /** Stops listening; connections that nobody accepted are destroyed, accepted ones live on. Idempotent. */
  close(): Promise<void>
  /** Keeps the process alive while it listens, which it does from the beginning. */
  ref(): void
  /** Lets the process end although this listens. */
  unref(): void
}
