/**
 * The interface that a driver implements: an ordered, reliable pipe of byte chunks with explicit buffer ownership, the
 * builder that connects and listens, and the listener.
 *
 * It is polled, because a hot loop that polls allocates nothing. {@link Connection} adds promises to it.
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
 * The state of a transport, as the local side sees it. It only moves down this list:
 *
 * - `open`: both directions work;
 * - `finished`: {@link Transport.finish} was called; receiving continues;
 * - `disconnecting`: {@link Transport.disconnect} was called, and accepted bytes are being delivered;
 * - `closed`: nothing is sent or received any more. {@link Transport.error} tells a failure from a clean end.
 */
export type TransportState = 'open' | 'finished' | 'disconnecting' | 'closed'

/** Options of {@link Transport.disconnect}. */
export interface DisconnectOptions {
  /**
   * In milliseconds: how long the wire may take none of the accepted bytes before the transport fails, and afterwards how
   * long to wait for the peer's end. 0 disables both deadlines. @default 5000
   */
  readonly timeoutMs?: number | undefined
}

/** What the wire of a transport can report. The conformance suite tests these claims for every driver. */
export interface TransportCapabilities {
  /** A peer that crashed is reported as an error, never as a clean end. */
  readonly detectsPeerCrash: boolean
  /** {@link Transport.destroy} reaches the peer as an error, even between messages. */
  readonly reset: boolean
}

/**
 * An ordered, reliable, full-duplex pipe of byte chunks. Chunk boundaries have no meaning: a driver may split and join
 * chunks.
 *
 * Methods throw for misuse only, never for what the network did. After a failure, sends are refused, chunks that arrived
 * before can still be polled, {@link pollDisconnect} returns `true`, and {@link error} is set.
 *
 * **Chunks that arrived and were not polled** stay readable when the peer or the network ended the transport. This side's
 * own {@link disconnect} and {@link destroy} discard them: poll first if you need them. Chunks that were handed out stay
 * readable until their release in every case.
 *
 * **Waker rules.** A send that is refused, or a poll that returns nothing, promises a call of {@link waker}: it is called
 * at least once after the result could have changed, by data, a completion, a credit, the end or an error. It is never
 * called from inside a method of the transport. Several causes may share one call. Assigning the waker while a call is
 * due schedules that call. The waker may call any method, `destroy` included. An exception that it throws ends this
 * transport with `ERR_NETTS_INTERNAL`; other transports are not affected.
 *
 * **The process** is kept alive by a transport until it is closed, or {@link unref} was called.
 */
export interface Transport {
  /**
   * Copies as much of `data` as fits into send buffers, and posts it. The caller may reuse `data` on return.
   *
   * @returns the number of bytes accepted, at most {@link maxSendSize}; 0 when there is no capacity now, or the
   *   transport failed ({@link pollDisconnect} tells which).
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for empty data, `ERR_NETTS_INVALID_STATE` after this
   *   side's own `finish`, `disconnect` or `destroy`.
   */
  sendCopy(data: Uint8Array): number
  /**
   * Like {@link sendCopy}, for several slices that follow one another. Empty slices are skipped; all of them empty is
   * `ERR_NETTS_INVALID_ARGUMENT`.
   */
  sendGather(parts: readonly Uint8Array[]): number
  /**
   * Sends part of a pooled buffer without copying it.
   *
   * **Ownership.** On `true` the buffer belongs to the transport, which returns it to its pool when the send has
   * completed or was dropped; the caller must not use it again. The transport reads its bytes and never changes them. On
   * `false` (no capacity now, or the transport failed) it remains the caller's.
   *
   * @param byteOffset where the part begins in the buffer, in bytes. @default 0
   * @param byteLength the length of the part, up to {@link maxSendSize}. @default the rest of the buffer
   * @throws NettsError `ERR_NETTS_FOREIGN_BUFFER` when its memory is not of the same
   *   {@link BufferPool.domain} as {@link bufferPool}; `ERR_NETTS_BUFFER_RELEASED`;
   *   `ERR_NETTS_INVALID_ARGUMENT` for a range that is empty, too long or outside of the buffer;
   *   `ERR_NETTS_INVALID_STATE` as for {@link sendCopy}. The buffer then remains the caller's.
   */
  sendBuffer(buffer: PooledBuffer, byteOffset?: number, byteLength?: number): boolean
  /**
   * Returns how many sends completed since the last call. Over RDMA, a send is complete when the peer's adapter has
   * acknowledged it; over sockets, when the local kernel has taken it. Each call that returned a positive number or `true`
   * is one send.
   */
  pollSendCompletion(): number
  /** Accepted sends that {@link pollSendCompletion} has not reported yet; 0 once closed. */
  readonly sendsInFlight: number
  /**
   * Bytes that were accepted and that the wire has not taken yet. Over RDMA, the peer's adapter takes them by
   * acknowledging; over sockets, the local kernel. 0 once closed. A lower number means that the peer makes progress.
   */
  readonly queuedBytes: number
  /**
   * Returns {@link queuedBytes}, and over TCP on Linux, in addition the bytes in the kernel that the peer's host has not
   * acknowledged. Deadlines use it before they declare a peer stalled. It may need system calls: do not call it in a hot
   * path. Never rejects.
   */
  unacknowledgedBytes(): number | Promise<number>
  /**
   * Reports received chunks in order, by writing into the objects of `out` from its beginning. Chunks that do not fit
   * stay queued.
   *
   * @returns how many entries were filled; 0 when there is nothing now.
   */
  pollRecv(out: RecvCompletion[]): number
  /**
   * Returns the bytes of a chunk that {@link pollRecv} reported, in place. They are valid until {@link repostRecv}, also
   * after the transport closed.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an index that is not handed out.
   */
  recvBuf(chunkIndex: number): Uint8Array
  /**
   * Releases a chunk, so that the peer may send as much again. Chunks may be released in any order.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an index that is not handed out, such as one
   *   released before.
   */
  repostRecv(chunkIndex: number): void
  /** Whether the peer finished, and {@link pollRecv} has handed out every chunk that it sent before. */
  readonly recvEnded: boolean
  /** Whether the transport is closed in both directions, or failed. */
  pollDisconnect(): boolean
  /** The error that ended the transport; `undefined` while it works, and after a clean end. */
  readonly error: NettsError | undefined
  /**
   * Half-close: this side sends nothing more. The peer's {@link recvEnded} becomes `true` when it has been handed every
   * byte sent before. Idempotent. No effect on a closed transport.
   */
  finish(): void
  /**
   * Closes gracefully: delivers all accepted bytes and then the end, and discards input from now on.
   * {@link pollDisconnect} returns `true` when the wire has taken the bytes and the end (TCP: the local kernel; RDMA: the
   * peer's adapter), whether the peer finishes or not. If the wire takes nothing for `timeoutMs`, {@link error} becomes
   * `ERR_NETTS_TIMEOUT`, and the remaining bytes are lost.
   *
   * Afterwards the wire is kept open, and the process alive, until the peer finishes too, for `timeoutMs` at most:
   * a kernel resets a connection that is closed while input is unread, and the peer could then lose bytes that it has not
   * read. Idempotent: the `timeoutMs` of the first call counts.
   *
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for options out of range
   */
  disconnect(options?: DisconnectOptions): void
  /**
   * Closes at once, and drops unsent bytes. The peer sees an error if {@link TransportCapabilities.reset} is `true`, else
   * an end. Idempotent: the error of the first call counts. After a completed `disconnect`, it only ends the wait for the
   * peer's end.
   *
   * @param error becomes {@link Transport.error}. @default a NettsError with `ERR_NETTS_DESTROYED`
   */
  destroy(error?: NettsError): void
  /** Keeps the process alive while the transport is open. This is the initial state. */
  ref(): void
  /** Lets the process exit while the transport is open. */
  unref(): void
  /** The callback that tells when to poll again: see the waker rules of {@link Transport}. */
  waker: (() => void) | undefined
  /** The address at this end. */
  readonly localAddress: Address
  /** The address of the peer. */
  readonly remoteAddress: Address
  /** The pool of buffers for {@link sendBuffer}. Transports of one builder may share it. */
  readonly bufferPool: BufferPool
  /** The most bytes that one send can take; at least 1024. */
  readonly maxSendSize: number
  /**
   * The number of received bytes that may be handed out and unreleased before the peer has to wait. The chunk that fills
   * the window may exceed it; the next chunk is not handed out before a release.
   */
  readonly recvWindow: number
  /** What the wire can report. */
  readonly capabilities: TransportCapabilities
  /** The state: see {@link TransportState}. */
  readonly state: TransportState
}

/** Options of {@link TransportBuilder.connect}. */
export interface ConnectOptions {
  /** Cancels the attempt. It leaves no socket, memory or timer behind. */
  readonly signal?: AbortSignal | undefined
  /** The deadline of the whole attempt (name lookup, route and handshake), in milliseconds; 0 for none. @default 10000 */
  readonly timeoutMs?: number | undefined
}

/** Options of {@link TransportBuilder.listen}. */
export interface ListenOptions {
  /**
   * How many connections may wait for {@link TransportListener.accept}. Further ones are rejected, with a reason if the
   * wire can carry one. @default 511 (as in node:net)
   */
  readonly backlog?: number | undefined
}

/** Options of {@link TransportListener.accept}. */
export interface AcceptOptions {
  /** Cancels the wait. No connection is lost. */
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
   * Connects, within one deadline. A rejected attempt leaves nothing behind.
   *
   * Rejects with `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_ABORTED`, `ERR_NETTS_TIMEOUT`, `ERR_NETTS_CONNECT_FAILED` or
   * `ERR_NETTS_REJECTED`; RDMA drivers also with `ERR_NETTS_UNAVAILABLE` and `ERR_NETTS_VERBS`, `tls()` with
   * `ERR_NETTS_TLS`.
   */
  connect(address: Address, options?: ConnectOptions): Promise<T>
  /**
   * Starts listening. Rejects with `ERR_NETTS_INVALID_ARGUMENT` or `ERR_NETTS_LISTEN_FAILED`.
   */
  listen(address: Address, options?: ListenOptions): Promise<TransportListener<T>>
}

/** A listener. It completes handshakes as requests come. `for await` accepts connections until it is closed. */
export interface TransportListener<T extends Transport = Transport>
  extends AsyncIterable<T>,
    AsyncDisposable {
  /** The address on which it listens. If port 0 was asked for, this has the port that was chosen. */
  readonly address: Address
  /**
   * Resolves to the next connection, in the order in which they were established. Concurrent calls are served in order.
   * A client whose handshake fails does not make `accept` reject.
   *
   * @returns `undefined` once the listener is closed.
   * Rejects with `ERR_NETTS_ABORTED`, or with the error that broke the listener.
   */
  accept(options?: AcceptOptions): Promise<T | undefined>
  /** Stops listening. Connections that were not accepted yet are destroyed; accepted ones stay open. Idempotent. */
  close(): Promise<void>
  /** Keeps the process alive while it listens. This is the initial state. */
  ref(): void
  /** Lets the process exit while it listens. */
  unref(): void
}
