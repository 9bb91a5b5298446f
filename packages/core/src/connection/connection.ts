/**
 * Messages over any transport: the contract.
 *
 * On the wire a message is its length, 4 bytes big-endian, then its bytes. A message may be larger than a
 * chunk of the transport, and several small ones share a chunk.
 */
import type { Address, ListeningAddress } from '../address.js'
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import type { NettsError } from '../errors.js'
import type { AcceptOptions, ListenOptions, Transport } from '../transport.js'

/**
 * Limits and deadlines of a connection. What each deadline is about:
 *
 * | option             | what may not stand still                         | what does not count                  |
 * | ------------------ | ------------------------------------------------ | ------------------------------------ |
 * | `messageTimeoutMs` | a message that the peer has begun to send        | while messages wait here to be taken |
 * | `stallTimeoutMs`   | what is to be sent, as the peer takes it         | while there is nothing to be sent    |
 * | `closeTimeoutMs`   | what was accepted before `close`                 |                                      |
 *
 * Each is over after so long without any progress that can be seen, or up to a quarter later, and each looks for pending
 * input first: a busy event loop, or a machine that slept, is no silent peer. Over TCP on Linux the kernel's queue is
 * looked up, and what the peer acknowledged is progress. Elsewhere, and over Unix domain sockets, progress shows when the
 * kernel takes more, which it does in jumps of some hundred KiB up to a few MiB: with a very slow peer, choose a longer
 * `closeTimeoutMs`.
 */
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
  /**
   * How long a peer may take nothing of what is to be sent to it, in milliseconds; then the connection fails with
   * `ERR_NETTS_TIMEOUT`. It is the limit for a send that has begun to leave, which its signal can't cancel any more.
   * 0 waits for ever. @default 0
   */
  readonly stallTimeoutMs?: number | undefined
  /**
   * How long `close` goes on while the peer takes nothing of what was accepted, in milliseconds; 0 for ever. Any
   * progress that can be seen begins it anew. @default 5000
   */
  readonly closeTimeoutMs?: number | undefined
  /**
   * Whether this side stays open when iteration reaches the peer's end: then it is yours to `finish` or `close`, and
   * answers that come later still reach a peer that has finished. @default false: iteration finishes this side too
   */
  readonly allowHalfOpen?: boolean | undefined
}

/**
 * Where a connection is in its life. Transitions only go down this list:
 *
 * - `open`: both directions work;
 * - `finishing`: `finish` was called, and what waited before it is still leaving;
 * - `finished`: this side has said its end; receiving goes on;
 * - `closing`: `close` was called, and what was accepted is still leaving;
 * - `closed`: over. `closed` tells why.
 */
export type ConnectionState = 'open' | 'finishing' | 'finished' | 'closing' | 'closed'

type TransportOperation =
  | 'sendCopy'
  | 'sendGather'
  | 'sendBuffer'
  | 'pollSendCompletion'
  | 'pollRecv'
  | 'recvBuf'
  | 'repostRecv'
  | 'recvEnded'
  | 'pollDisconnect'
  | 'finish'
  | 'disconnect'
  | 'destroy'
  | 'waker'
  | 'ref'
  | 'unref'

/** What may be used of a transport that belongs to a connection: everything but its operations. */
export type TransportInfo<T extends Transport = Transport> = Omit<T, TransportOperation>

/** Cancelling for operations that wait. */
export interface OperationOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * A received message in place. It holds receive memory of the transport (or a reused assembly buffer) until
 * it is released, so release it soon, by hand or with `using`. Leases may be held for long, and released in any
 * order: beyond half of the transport's window they are copies, so that the peer can go on.
 *
 * All members throw `ERR_NETTS_BUFFER_RELEASED` after the release, but for disposing, which does nothing then.
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
 * {@link finish} for this side, so that a service that only loops closes its connections. A service that answers later
 * than in the loop sets `allowHalfOpen`, and finishes itself. Leaving a loop early changes nothing, and loses nothing.
 *
 * What the transport, a driver or a callback throws ends this connection with `ERR_NETTS_INTERNAL`, and nothing else.
 *
 * An operation that its signal cancels rejects with a {@link NettsError} whose code is `ERR_NETTS_ABORTED`, whose `cause`
 * is the signal's reason, and whose `name` is `TimeoutError` if the reason's is, else `AbortError`. One that runs into a
 * deadline has the code `ERR_NETTS_TIMEOUT` and the name `TimeoutError`.
 *
 * @typeParam T the transport underneath
 */
export interface Connection<T extends Transport = Transport> extends AsyncIterable<Buffer>, AsyncDisposable {
  /**
   * Sends one message; empty ones are legal.
   *
   * Resolves once it is accepted: copied, or handed to the transport. Until then `data` must not be changed;
   * a {@link PooledBuffer} is the connection's from the call on, also when it rejects.
   * Waits while the peer is slow (backpressure); messages leave in the order of the calls.
   * Bytes for several chunks are not copied, where the transport sends from plain memory: they are accepted once it
   * took all of them and has read them. Messages behind wait only until it took them, and may be accepted before.
   * Small messages sent in one turn of the event loop leave together, when it is over or their chunk is full; only the
   * first one after a message that was received by itself leaves at once, as its answer.
   *
   * A pooled buffer leaves without a copy when it is of the transport's memory and fits in one chunk; with its header
   * in front when it comes from {@link alloc}. Up to 4 KiB it is a small message like others, as the copy costs less
   * than a send of its own.
   *
   * Rejects with `ERR_NETTS_MESSAGE_TOO_LARGE`, `ERR_NETTS_ABORTED` (nothing of it was sent; a message that has begun
   * to leave ignores its signal, and `stallTimeoutMs` is the limit), `ERR_NETTS_CLOSED` after `finish` or `close`,
   * `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_BUFFER_RELEASED`, `ERR_NETTS_BUFFER_DETACHED` when the memory of `data` was
   * transferred or resized before anything of it had left (later, that fails the connection), or the error that ended
   * the connection. A message whose send rejects never reaches
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
   * Waits until {@link trySend} may succeed again: nothing waits, and the transport takes more. Rejects with
   * `ERR_NETTS_ABORTED`, `ERR_NETTS_CLOSED`, or the error that ended the connection.
   */
  whenWritable(options?: OperationOptions): Promise<void>
  /**
   * Sends at once what is still gathering, and resolves once every send before has settled and the transport reports
   * all of them as complete (see {@link Transport.pollSendCompletion}). Rejects with `ERR_NETTS_ABORTED`, or with the error that
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
   * Calls back with a lease of each message, in order, from now on and to the end: for services that live on latency, as
   * no promise stands between a message and its answer. It is called in the event that brought the message, never from
   * within this method; a small message that it sends in answer leaves at once.
   *
   * Each lease is the callback's to release, then or later. While leases that were not released hold half of the
   * transport's `recvWindow`, or one message that is larger, it is not called again, and the peer is held back: it goes
   * on with the next release. What it throws fails the connection with `ERR_NETTS_INTERNAL`, whose cause is that, and it
   * is not called again. What had arrived before the end is handed over also after {@link closed} has resolved, unless it
   * was {@link destroy}ed. Behind the last message of a peer that has finished, this side finishes as well, unless
   * `allowHalfOpen` is set.
   *
   * It excludes every other way to receive: those throw or reject with `ERR_NETTS_INVALID_STATE`.
   * @throws NettsError `ERR_NETTS_INVALID_STATE` when there is a callback already, or a receive waits;
   *   `ERR_NETTS_INVALID_ARGUMENT`
   */
  onMessage(callback: (lease: MessageLease) => void): void
  /**
   * Iterates over leases, as `for await` over the connection does over messages. Each lease is the loop's to release:
   * `for await (using lease of connection.leases())`.
   */
  leases(): AsyncIterableIterator<MessageLease>
  /**
   * A buffer of the transport's pool with room for the header in front, so that `send(buffer)` copies
   * nothing when the message fits into one chunk. Only for sending with a connection, or releasing.
   * @throws NettsError as {@link BufferPool.alloc}, and `ERR_NETTS_MESSAGE_TOO_LARGE`. However many buffers other
   *   connections hold, a few are this one's alone.
   */
  alloc(byteLength: number): PooledBuffer
  /**
   * Half-close: after everything sent, also by sends that still wait, the peer sees the end. Receiving goes on.
   * Idempotent.
   */
  finish(): void
  /**
   * Closes gracefully: sends what was accepted (sends that still wait reject with `ERR_NETTS_CLOSED`, unless they
   * have begun to leave), says the end, and discards what still arrives. What had arrived before can still be received,
   * then the end. Resolves once the wire took all of it (TCP: the kernel; RDMA: the peer's adapter), whether the peer
   * closes or not, and never rejects. A peer that takes nothing for `closeTimeoutMs` ends it with `ERR_NETTS_TIMEOUT`.
   * Idempotent.
   *
   * Behind it, the wire waits for the peer's end for `closeTimeoutMs` at most, and keeps the process alive for so long:
   * else the peer could lose what it has not read yet. {@link destroy} ends that too.
   */
  close(): Promise<void>
  /**
   * Closes at once; unsent data and messages that nobody has taken are dropped, and pending operations reject; but see
   * {@link send} for a large message that the transport has already.
   * @param error what ended it; of any other kind, it becomes the cause of the default.
   *   @default a NettsError with `ERR_NETTS_DESTROYED`
   */
  destroy(error?: unknown): void
  /** Keeps the process alive while it is open, which it does from the beginning. */
  ref(): void
  /** Lets the process end although this is open. */
  unref(): void
  /** Resolves when closed: to the error that ended the connection, or `undefined` after a clean end. */
  readonly closed: Promise<NettsError | undefined>
  /**
   * Resolves when the peer has finished and all that it sent was taken in, and also when the connection is closed. Never
   * rejects. It is for a side that does not receive: with messages waiting here up to `highWaterMark`, the end behind
   * them is not seen.
   */
  readonly peerEnded: Promise<void>
  readonly state: ConnectionState
  /** Bytes, headers included, that were to be sent and that the wire has not taken yet. */
  readonly queuedBytes: number
  readonly stats: ConnectionStats
  readonly localAddress: Address
  readonly remoteAddress: Address
  readonly maxMessageSize: number
  /** The transport underneath. It is the connection's: only its metadata may be used. */
  readonly transport: TransportInfo<T>
}

/** Options of {@link listen}. */
export interface ConnectionListenOptions extends ListenOptions, ConnectionOptions {}

/** How a listener closes. */
export interface ListenerCloseOptions {
  /** Waits until every connection that it accepted is closed. @default false */
  readonly drain?: boolean | undefined
  /**
   * With `drain`: how long connections may go on by themselves, in milliseconds; then they are closed by
   * {@link Connection.close}. 0 closes them at once. @default 10000
   */
  readonly deadlineMs?: number | undefined
}

/** Listens, and makes a {@link Connection} of every transport that is accepted. Iterating accepts until closed. */
export interface ConnectionListener<T extends Transport = Transport>
  extends AsyncIterable<Connection<T>>,
    AsyncDisposable {
  readonly address: Address
  /** Where it listens over each wire: several with `preferring`, else one. */
  readonly addresses: readonly ListeningAddress[]
  /** Connections that were accepted here and are not closed. */
  readonly connections: ReadonlySet<Connection<T>>
  /** As {@link TransportListener.accept}. */
  accept(options?: AcceptOptions): Promise<Connection<T> | undefined>
  /**
   * Stops listening; connections that nobody accepted are destroyed. Accepted ones live on, or with `drain` are waited
   * for. Idempotent. Rejects with `ERR_NETTS_INVALID_ARGUMENT`.
   */
  close(options?: ListenerCloseOptions): Promise<void>
  /** Keeps the process alive while it listens, which it does from the beginning. */
  ref(): void
  /** Lets the process end although this listens. */
  unref(): void
}
