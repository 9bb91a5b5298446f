/**
 * The interface of connections: messages over any transport.
 *
 * On the wire a message is its length (4 bytes, big-endian), followed by its bytes. A message may be larger than a chunk of
 * the transport, and several small messages share a chunk.
 */
import type { Address, ListeningAddress } from '../address.js'
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import type { NettsError } from '../errors.js'
import type { AcceptOptions, ListenOptions, Transport } from '../transport.js'

/**
 * Limits and deadlines of a connection. A deadline passes when something makes no progress for that long:
 *
 * | option             | what must make progress                   | when the deadline does not run     |
 * | ------------------ | ----------------------------------------- | ---------------------------------- |
 * | `messageTimeoutMs` | a message that the peer has begun to send | while received messages wait here  |
 * | `stallTimeoutMs`   | the bytes to be sent, as the peer takes them | while there is nothing to send  |
 * | `closeTimeoutMs`   | the bytes accepted before `close`         |                                    |
 *
 * A deadline can fire up to a quarter of its time late. It looks for pending input before it fires, so that a busy event
 * loop, or a machine that slept, is not taken for a silent peer. Over TCP on Linux, bytes that the peer's kernel
 * acknowledged are progress. On other systems, and over Unix domain sockets, progress is visible only when the local
 * kernel takes more bytes, in steps of up to a few MiB: choose a longer `closeTimeoutMs` for a very slow peer.
 */
export interface ConnectionOptions {
  /**
   * The largest message in bytes, checked on both ends; at most 2^32 - 1. A peer that announces more is
   * disconnected with `ERR_NETTS_PROTOCOL` before anything is allocated. @default 16 MiB
   */
  readonly maxMessageSize?: number | undefined
  /**
   * How many received bytes are kept ready for `recv`, in addition to one incomplete message. Beyond that, nothing is
   * taken from the transport, and the peer has to wait. Messages that lie within one chunk stay in the transport's
   * receive memory, so that its `recvWindow` is a limit as well. @default 256 KiB
   */
  readonly highWaterMark?: number | undefined
  /**
   * How long a peer may leave a message incomplete without sending another byte of it, in milliseconds. After that the
   * connection fails with `ERR_NETTS_TIMEOUT`. 0 disables the deadline. It does not run while complete messages wait
   * here to be received, since backpressure may then keep the peer from sending. @default 30000
   */
  readonly messageTimeoutMs?: number | undefined
  /**
   * How long a peer may take none of the bytes that are to be sent to it, in milliseconds. After that the connection
   * fails with `ERR_NETTS_TIMEOUT`. This is the limit of a send that has begun to leave, which its signal cannot
   * cancel any more. 0 disables the deadline. @default 0
   */
  readonly stallTimeoutMs?: number | undefined
  /**
   * How long `close` continues while the peer takes none of the accepted bytes, in milliseconds. Progress restarts it.
   * 0 disables the deadline. @default 5000
   */
  readonly closeTimeoutMs?: number | undefined
  /**
   * Whether this side stays open for sending when iteration reaches the peer's end. If `true`, call `finish` or `close`
   * yourself; answers sent after the loop still reach a peer that has finished. If `false`, iteration calls `finish`.
   * @default false
   */
  readonly allowHalfOpen?: boolean | undefined
}

/**
 * The state of a connection. It only moves down this list:
 *
 * - `open`: both directions work;
 * - `finishing`: `finish` was called, and messages sent before are still leaving;
 * - `finished`: the end was sent; receiving continues;
 * - `closing`: `close` was called, and accepted messages are still leaving;
 * - `closed`: nothing is sent or received any more. {@link Connection.closed} tells why.
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

/** The members of a transport that may be used while it belongs to a connection: its metadata, not its operations. */
export type TransportInfo<T extends Transport = Transport> = Omit<T, TransportOperation>

/** Options of operations that wait. */
export interface OperationOptions {
  /** Cancels the operation. One signal may serve any number of operations. @default none */
  readonly signal?: AbortSignal | undefined
}

/**
 * A received message in place. A lease holds receive memory of the transport, or a reused assembly buffer, until it is
 * released with {@link MessageLease.release} or `using`. Leases may be released in any order. When leases hold more than
 * half of the transport's window, further leases are copies, so that the peer can continue to send.
 *
 * After the release, all members throw `ERR_NETTS_BUFFER_RELEASED`, except `[Symbol.dispose]`, which does nothing.
 */
export interface MessageLease extends Disposable {
  /** The bytes of the message, valid until the release. The view is made on first use. */
  readonly bytes: Uint8Array
  /** The message's length in bytes. */
  readonly byteLength: number
  /** The memory that contains the message. Reading it at {@link byteOffset} needs no view, and so allocates nothing. */
  readonly chunk: Uint8Array
  /** Where in {@link chunk} the message begins. */
  readonly byteOffset: number
  /**
   * Gives the memory back. `bytes` and `chunk` must not be used afterwards.
   * @throws NettsError `ERR_NETTS_BUFFER_RELEASED` when it was released before
   */
  release(): void
}

/** Counters of a connection since it was made. */
export interface ConnectionStats {
  /** Messages accepted for sending. */
  readonly messagesSent: number
  /** Messages handed to the application. */
  readonly messagesReceived: number
  /** Payload bytes of messages accepted for sending, without headers. */
  readonly bytesSent: number
  /** Payload bytes handed to the application, without headers. */
  readonly bytesReceived: number
  /** Sends handed to the transport. It is smaller than `messagesSent` when small messages shared a chunk. */
  readonly chunksSent: number
  /** Chunks taken from the transport. */
  readonly chunksReceived: number
  /** Messages sent without a copy: from a pooled buffer, or large ones from the caller's memory. */
  readonly zeroCopySends: number
  /** Leases whose message lay in more than one chunk, and was therefore copied into one piece of memory. */
  readonly assembledLeases: number
  /** Leases that were copied because other leases held half of the receive window. */
  readonly copiedLeases: number
  /** Payload bytes of complete messages that were not received by the application yet. */
  readonly bytesBuffered: number
}

/**
 * Ordered messages in both directions. Concurrent sends and receives keep the order of the calls, and messages never
 * interleave. Every send settles exactly once. Messages that arrived before a close are delivered before the end.
 *
 * `for await` receives messages as {@link recv} does. When the loop reaches the peer's end, it also calls {@link finish},
 * so that a service that only loops closes its connections. A service that answers after the loop sets `allowHalfOpen`,
 * and calls `finish` or `close` itself. Leaving a loop early has no effect on the connection; no message is lost.
 *
 * An exception thrown by the transport, the driver or a callback ends this connection with `ERR_NETTS_INTERNAL`. Other
 * connections are not affected.
 *
 * An operation cancelled by its signal rejects with the code `ERR_NETTS_ABORTED`. The `cause` is the signal's reason. The
 * `name` is `TimeoutError` if the reason's name is, else `AbortError`. An operation whose deadline passed rejects with the
 * code `ERR_NETTS_TIMEOUT` and the name `TimeoutError`.
 *
 * @typeParam T the transport underneath
 */
export interface Connection<T extends Transport = Transport> extends AsyncIterable<Buffer>, AsyncDisposable {
  /**
   * Sends one message. Empty messages are legal. Messages leave in the order of the calls.
   *
   * **Ownership.** Do not change a `Uint8Array` before the promise settles. A {@link PooledBuffer} belongs to the
   * connection from the call on, also when the promise rejects; the connection returns it to its pool.
   * Messages of several chunks are sent from the caller's memory where the transport supports that; other `Uint8Array`s
   * are copied. A pooled buffer of more than 4 KiB that was allocated from the transport's memory and fits into one
   * chunk is sent without a copy; use {@link alloc} for that.
   *
   * **Resolves** when the message is accepted: it was copied, or the transport has read all of it. That is not when it
   * arrived: see {@link flush}. It waits while the peer is slow (backpressure). Small messages sent in one turn of the
   * event loop leave together, at the end of the turn or when their chunk is full. The first one after a message that was
   * received by itself is its answer, and leaves at once.
   *
   * **Rejects** with
   *
   * - `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_MESSAGE_TOO_LARGE`, `ERR_NETTS_BUFFER_RELEASED` before anything is sent;
   * - `ERR_NETTS_ABORTED` when the signal fires before the message began to leave; nothing of it was sent. A message that
   *   has begun to leave ignores its signal; `stallTimeoutMs` limits it;
   * - `ERR_NETTS_CLOSED` after `finish` or `close`;
   * - `ERR_NETTS_BUFFER_DETACHED` when the memory of `data` was transferred or resized before any of it had left. If that
   *   happens later, the connection fails;
   * - the error that ended the connection.
   *
   * A message whose send rejects never reaches the peer as a whole.
   */
  send(data: Uint8Array | PooledBuffer, options?: OperationOptions): Promise<void>
  /**
   * Sends one message if no waiting is needed: the transport has room, and no earlier message waits. For a message
   * larger than a chunk, room for its beginning is enough; the rest is copied, and `trySend` returns `false` until the
   * transport has taken it.
   *
   * @returns whether the message was accepted. If not, nothing was sent, and a pooled buffer remains the caller's.
   * @throws NettsError `ERR_NETTS_MESSAGE_TOO_LARGE`, `ERR_NETTS_CLOSED`, `ERR_NETTS_INVALID_ARGUMENT`,
   *   `ERR_NETTS_BUFFER_RELEASED`, or the error that ended the connection.
   */
  trySend(data: Uint8Array | PooledBuffer): boolean
  /**
   * Resolves when {@link trySend} may succeed again. Rejects with `ERR_NETTS_ABORTED`, `ERR_NETTS_CLOSED`, or the error
   * that ended the connection.
   */
  whenWritable(options?: OperationOptions): Promise<void>
  /**
   * Sends gathered small messages at once. Resolves when every earlier send has settled, and the transport has reported
   * all of them as complete: over RDMA the peer's adapter has them, over sockets the local kernel (see
   * {@link Transport.pollSendCompletion}). Rejects with `ERR_NETTS_ABORTED`, or with the error that ended the connection.
   */
  flush(options?: OperationOptions): Promise<void>
  /**
   * Receives the next message. The caller owns the `Buffer`. Resolves to `undefined` at the peer's end.
   * Concurrent calls are served in order. Cancelling a call loses no message.
   * Rejects with `ERR_NETTS_ABORTED`, or with the error that ended the connection, after every message that arrived
   * before the error was delivered.
   */
  recv(options?: OperationOptions): Promise<Buffer | undefined>
  /**
   * Like {@link recv}, but shows the message where it arrived. It is copied only when it lies in more than one chunk, or
   * when leases hold half of the receive window. The caller must release the lease.
   */
  recvLease(options?: OperationOptions): Promise<MessageLease | undefined>
  /**
   * Returns a lease of the next message if it has arrived, without a promise; otherwise `undefined`, also at the end. A
   * hot loop calls this until it returns `undefined`, and then waits with {@link recvLease}. The caller must release the
   * lease.
   * @throws NettsError `ERR_NETTS_INVALID_STATE` after {@link onMessage}
   */
  tryRecvLease(): MessageLease | undefined
  /**
   * Calls `callback` with a lease of each message, in order, until the end. It is for services that need low latency: no
   * promise stands between a message and its answer. The callback runs in the event that brought the message, and never
   * within this method. The first small message that it sends leaves at once.
   *
   * **Ownership.** The callback must release each lease, at once or later.
   *
   * **Backpressure.** The callback is not called while unreleased leases hold half of the transport's `recvWindow`, or one
   * message that is larger. The peer is then held back. The next release continues.
   *
   * **Errors.** What the callback throws fails the connection with `ERR_NETTS_INTERNAL` and is its cause. The callback is
   * not called again.
   *
   * **End.** Messages that arrived before the end are delivered, also after {@link closed} has resolved, but not after
   * {@link destroy}. After the last message of a peer that finished, this side finishes too, unless `allowHalfOpen` is set.
   *
   * It excludes every other way to receive; they throw or reject with `ERR_NETTS_INVALID_STATE`.
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
   * Allocates a buffer from the transport's pool, with hidden room for the message header, so that `send(buffer)` copies
   * nothing when the message fits into one chunk. The caller owns it until it is sent or released. Four buffers are
   * reserved for each connection.
   * @param byteLength the length of the message in bytes
   * @throws NettsError `ERR_NETTS_MESSAGE_TOO_LARGE` above {@link maxMessageSize}; `ERR_NETTS_INVALID_ARGUMENT` for a length
   *   that is not valid or larger than a buffer of the pool; `ERR_NETTS_POOL_EXHAUSTED` when no buffer is free;
   *   `ERR_NETTS_CLOSED` when the pool is closed
   */
  alloc(byteLength: number): PooledBuffer
  /**
   * Half-close. The peer sees the end after all messages sent before, including those of sends that still wait.
   * Receiving continues. Idempotent.
   */
  finish(): void
  /**
   * Closes gracefully: sends the accepted messages and the end, and discards further input. Sends that still wait reject
   * with `ERR_NETTS_CLOSED`, unless their message has begun to leave. Messages that had arrived can still be received.
   *
   * Resolves when the wire has taken everything (TCP: the local kernel; RDMA: the peer's adapter), whether the peer closes
   * or not. Never rejects. If the peer takes nothing for `closeTimeoutMs`, the connection ends with `ERR_NETTS_TIMEOUT`;
   * see {@link closed}. Idempotent.
   *
   * Afterwards the wire is kept open until the peer's end, for `closeTimeoutMs` at most, and keeps the process alive:
   * otherwise the peer could lose messages that it has not read yet. {@link destroy} ends this wait.
   */
  close(): Promise<void>
  /**
   * Closes at once. Unsent messages and messages not yet received are dropped. Pending operations reject with the error.
   * @param error the error that ends the connection. Anything but a NettsError becomes the `cause` of the default.
   *   @default a NettsError with `ERR_NETTS_DESTROYED`
   */
  destroy(error?: unknown): void
  /** Keeps the process alive while the connection is open. This is the initial state. */
  ref(): void
  /** Lets the process exit while the connection is open. */
  unref(): void
  /** Resolves when closed: to the error that ended the connection, or `undefined` after a clean end. */
  readonly closed: Promise<NettsError | undefined>
  /**
   * Resolves when the peer has finished, or the connection is closed. Never rejects. For a side that does not receive:
   * the end is behind the peer's messages, and is not seen while more of them than `highWaterMark` wait to be received.
   */
  readonly peerEnded: Promise<void>
  /** The state: see {@link ConnectionState}. */
  readonly state: ConnectionState
  /** Bytes that were sent, headers included, and that the wire has not taken yet. */
  readonly queuedBytes: number
  /** Counters since the connection was made. Each read makes a new object. */
  readonly stats: ConnectionStats
  /** The address at this end. */
  readonly localAddress: Address
  /** The address of the peer. */
  readonly remoteAddress: Address
  /** The largest message that may be sent or received, in bytes. */
  readonly maxMessageSize: number
  /** The transport underneath. It belongs to the connection: only its metadata may be used. */
  readonly transport: TransportInfo<T>
}

/** Options of {@link listen}. */
export interface ConnectionListenOptions extends ListenOptions, ConnectionOptions {}

/** Options of {@link ConnectionListener.close}. */
export interface ListenerCloseOptions {
  /** Whether to wait until every accepted connection is closed. @default false */
  readonly drain?: boolean | undefined
  /**
   * With `drain`: how long to wait until connections close by themselves, in milliseconds. After that,
   * {@link Connection.close} is called on each. 0 closes them at once. @default 10000
   */
  readonly deadlineMs?: number | undefined
}

/** A listener of connections. `for await` accepts connections until it is closed. */
export interface ConnectionListener<T extends Transport = Transport>
  extends AsyncIterable<Connection<T>>,
    AsyncDisposable {
  /** The address on which it listens. If port 0 was asked for, this has the port that was chosen. */
  readonly address: Address
  /** The address of each wire: several with `preferring`, else one. */
  readonly addresses: readonly ListeningAddress[]
  /** The accepted connections that are not closed. */
  readonly connections: ReadonlySet<Connection<T>>
  /**
   * Resolves to the next connection, in the order in which they were established; to `undefined` when the listener is
   * closed. Concurrent calls are served in order. Rejects with `ERR_NETTS_ABORTED`, or with the error that broke the
   * listener. The failure of one client's handshake does not make it reject.
   */
  accept(options?: AcceptOptions): Promise<Connection<T> | undefined>
  /**
   * Stops listening. Connections that were not accepted yet are destroyed. Accepted ones stay open; with `drain`, the
   * promise resolves when they are closed. Idempotent. Rejects with `ERR_NETTS_INVALID_ARGUMENT`.
   */
  close(options?: ListenerCloseOptions): Promise<void>
  /** Keeps the process alive while it listens. This is the initial state. */
  ref(): void
  /** Lets the process exit while it listens. */
  unref(): void
}
