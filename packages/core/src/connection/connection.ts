/**
 * Messages over any transport: the contract.
 *
 * On the wire a message is its length, 4 bytes big-endian, then its bytes. A message may be larger than a
 * chunk of the transport, and several small ones share a chunk.
 */
import type { Address } from '../address.js'
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import type { NettsError } from '../errors.js'
import type { AcceptOptions, ListenOptions, Transport } from '../transport.js'

/** Limits of a connection. */
export interface ConnectionOptions {
  /**
   * The largest message in bytes, checked on both ends; at most 2^32 - 1. A peer that announces more is
   * disconnected with `ERR_NETTS_PROTOCOL` before anything is allocated. @default 16 MiB
   */
  readonly maxMessageSize?: number | undefined
  /**
   * How many received bytes are kept ready ahead of `recv`, beyond the one incomplete message; then nothing more
   * is taken from the transport, and in the end the peer has to wait. Messages that lie within one chunk stay in the
   * transport's receive memory, so its window is a limit as well. @default 256 KiB
   */
  readonly highWaterMark?: number | undefined
  /**
   * How long a peer may leave a message incomplete without sending another byte of it, in milliseconds;
   * then the connection fails with `ERR_NETTS_TIMEOUT`. 0 waits for ever. Time during which complete messages
   * wait here to be taken does not count: the peer may be the one who waits. @default 30000
   */
  readonly messageTimeoutMs?: number | undefined
}

/** Cancelling for `send`, `flush`, `recv` and `recvLease`. */
export interface OperationOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * A received message in place. It holds receive memory of the transport (or a reused assembly buffer) until
 * it is released, so release it soon, by hand or with `using`. Leases may be held for long, and released in any
 * order: beyond half of the transport's window they are copies, so that the peer can go on.
 *
 * All members throw `ERR_NETTS_BUFFER_RELEASED` after the release.
 */
export interface MessageLease extends Disposable {
  /** The message's bytes, valid until the release. Made on first use. */
  readonly bytes: Uint8Array
  /** The message's length in bytes. */
  readonly byteLength: number
  /** The memory that contains the message: with {@link byteOffset}, reading it in place allocates nothing. */
  readonly chunk: Uint8Array
  /** Where in {@link chunk} the message begins. */
  readonly byteOffset: number
  /** Gives the memory back; `bytes` and `chunk` must not be used again. */
  release(): void
}

/** Counters of a connection since it was made. */
export interface ConnectionStats {
  readonly messagesSent: number
  readonly messagesReceived: number
  /** Payload bytes, without headers. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Sends handed to the transport: what coalescing saved is the difference to `messagesSent`. */
  readonly chunksSent: number
  readonly chunksReceived: number
  /** Messages sent without a copy of their bulk: from a pooled buffer, or large ones from where they lay. */
  readonly zeroCopySends: number
  /** Leases that had to be assembled, because the message lay in more than one chunk. */
  readonly assembledLeases: number
  /** Leases copied out of receive memory rather than pinning its last slots. */
  readonly copiedLeases: number
  /** Payload bytes of complete messages that nobody has taken yet. */
  readonly bytesBuffered: number
}

/**
 * Ordered messages in both directions. Any number of concurrent sends and receives keep their order and
 * never interleave. Every send settles exactly once, and data that arrived before a close is always
 * delivered before the end.
 *
 * Iterating with `for await` takes messages as {@link recv} does. A loop that reaches the end also says
 * {@link finish} for this side, so that a service that only loops closes its connections; whoever wants to answer
 * after the peer's end uses {@link recv}. Leaving a loop early changes nothing, and loses nothing.
 */
export interface Connection extends AsyncIterable<Buffer>, AsyncDisposable {
  /**
   * Sends one message; empty ones are legal.
   *
   * Resolves once it is accepted: copied, or handed to the transport. Until then `data` must not be changed;
   * a {@link PooledBuffer} is the connection's from the call on, also when it rejects.
   * Waits while the peer is slow (backpressure); messages leave in the order of the calls.
   * Bytes for several chunks are not copied, where the transport sends from plain memory: they are accepted once it
   * took all of them and has read them. Messages behind wait only until it took them, and may be accepted before.
   * Small messages sent in one turn of the event loop leave together, when it is over or their chunk is full.
   *
   * A pooled buffer leaves without a copy when it is of the transport's memory and fits in one chunk; with its header
   * in front when it comes from {@link alloc}. Up to 4 KiB it is a small message like others, as the copy costs less
   * than a send of its own.
   *
   * Rejects with `ERR_NETTS_MESSAGE_TOO_LARGE`, `ERR_NETTS_ABORTED` (nothing of it was sent; a message that has begun
   * to leave can't be aborted), `ERR_NETTS_CLOSED` after `finish` or `close`, `ERR_NETTS_INVALID_ARGUMENT`,
   * `ERR_NETTS_BUFFER_RELEASED`, or the error that ended the connection. A message whose send rejects never reaches
   * the peer whole; so one that the transport took before the connection ended is accepted all the same.
   */
  send(data: Uint8Array | PooledBuffer, options?: OperationOptions): Promise<void>
  /**
   * Sends one message if that needs no waiting: the transport has room, and took all of every message before. A
   * message that is larger than a chunk is accepted once its beginning was; what the transport has no room for is
   * copied, and nothing else is accepted until it took that.
   *
   * @returns whether it was accepted; if not, nothing happened, and a pooled buffer remains the caller's.
   * @throws NettsError `ERR_NETTS_MESSAGE_TOO_LARGE`, `ERR_NETTS_CLOSED`, `ERR_NETTS_INVALID_ARGUMENT`,
   *   `ERR_NETTS_BUFFER_RELEASED`, or the error that ended the connection.
   */
  trySend(data: Uint8Array | PooledBuffer): boolean
  /**
   * Sends at once what is still gathering, and resolves once the transport reports everything accepted before as
   * complete (see {@link Transport.pollSendCompletion}). Rejects with `ERR_NETTS_ABORTED`, or with the error that
   * ended the connection.
   */
  flush(options?: OperationOptions): Promise<void>
  /**
   * The next message, as memory of the caller's own; `undefined` at the end.
   * Concurrent calls are served in order. Cancelling one loses no message.
   * Rejects with `ERR_NETTS_ABORTED`, or with the error that ended the connection, once everything that
   * arrived before has been delivered.
   */
  recv(options?: OperationOptions): Promise<Buffer | undefined>
  /** Like {@link recv}, without copying when the message lies within one chunk. */
  recvLease(options?: OperationOptions): Promise<MessageLease | undefined>
  /**
   * A lease of the next message if it is there already, without a promise; `undefined` when nothing can be
   * taken now, be it that nothing arrived or that it ended. With `recvLease` for waiting, a hot loop allocates
   * next to nothing.
   */
  tryRecvLease(): MessageLease | undefined
  /**
   * A buffer of the transport's pool with room for the header in front, so that `send(buffer)` copies
   * nothing when the message fits into one chunk. Only for sending with a connection, or releasing.
   * @throws NettsError as {@link BufferPool.alloc}, and `ERR_NETTS_MESSAGE_TOO_LARGE`.
   */
  alloc(byteLength: number): PooledBuffer
  /**
   * Half-close: after everything sent, also by sends that still wait, the peer sees the end. Receiving goes on.
   * Idempotent.
   */
  finish(): void
  /**
   * Closes gracefully: sends what was accepted (sends that still wait reject with `ERR_NETTS_CLOSED`, unless they
   * have begun to leave), says the end, discards what still arrives, waits for the peer's end for up to 5 s. What had
   * arrived before can still be received, then the end. A peer that takes nothing for 5 s ends it with
   * `ERR_NETTS_TIMEOUT`. Resolves when closed, and never rejects. Idempotent.
   */
  close(): Promise<void>
  /**
   * Closes at once; unsent data and messages that nobody has taken are dropped, and pending operations reject; but see
   * {@link send} for a large message that the transport has already.
   * @param error what ended it; of any other kind, it becomes the cause of the default.
   *   @default a NettsError with `ERR_NETTS_DESTROYED`
   */
  destroy(error?: NettsError): void
  /** Resolves when closed: to the error that ended the connection, or `undefined` after a clean end. */
  readonly closed: Promise<NettsError | undefined>
  readonly stats: ConnectionStats
  readonly localAddress: Address
  readonly remoteAddress: Address
  readonly maxMessageSize: number
  /** The transport underneath. It is the connection's: only its metadata may be used. */
  readonly transport: Transport
}

/** Options of {@link listen}. */
export interface ConnectionListenOptions extends ListenOptions, ConnectionOptions {}

/** Listens, and makes a {@link Connection} of every transport that is accepted. Iterating accepts until closed. */
export interface ConnectionListener extends AsyncIterable<Connection>, AsyncDisposable {
  readonly address: Address
  /** As {@link TransportListener.accept}. */
  accept(options?: AcceptOptions): Promise<Connection | undefined>
  /** As {@link TransportListener.close}. */
  close(): Promise<void>
}
