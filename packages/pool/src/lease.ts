/** The handle of a lent connection, which works until it is given back. */
import {
  type Address,
  type Connection,
  type ConnectionState,
  type ConnectionStats,
  type MessageLease,
  NettsError,
  type OperationOptions,
  type PooledBuffer,
  type Transport,
  type TransportInfo,
} from '@netts/core'
import type { EndpointMember } from './endpoint-state.js'
import type { EndpointStatus, PooledConnection } from './pool.js'

/** What a handle calls in its pool. */
export interface LeaseOwner<T extends Transport, S> {
  /** The borrower gives the connection back. */
  giveBack(lease: Lease<T, S>, member: EndpointMember<T, S>, ending: GiveBack): void
}

/** How a borrower gives a connection back: to be lent again, to be closed or destroyed, or with an error. */
export type GiveBack =
  | { readonly how: 'reuse' | 'close' }
  | { readonly how: 'fail' | 'destroy'; readonly error: unknown }

const REUSE: GiveBack = { how: 'reuse' }
const CLOSE: GiveBack = { how: 'close' }

/** See {@link PooledConnection}. */
export class Lease<T extends Transport, S> implements PooledConnection<T, S> {
  readonly #owner: LeaseOwner<T, S>
  readonly #member: EndpointMember<T, S>
  #isReleased = false

  constructor(owner: LeaseOwner<T, S>, member: EndpointMember<T, S>) {
    this.#owner = owner
    this.#member = member
  }

  // What the pool adds.

  get session(): S {
    this.#connection()
    return this.#member.session
  }

  get endpoint(): EndpointStatus {
    return this.#member.endpoint
  }

  get wire(): string {
    return this.#member.wire
  }

  get released(): boolean {
    return this.#isReleased
  }

  // Giving back.

  release(error?: unknown): void {
    this.#connection()
    this.#giveBack(error === undefined ? REUSE : { how: 'fail', error })
  }

  close(): Promise<void> {
    const connection = this.#connection()
    this.#giveBack(CLOSE)
    // Other callers share it and go on; the last one closes it.
    return connection.state === 'open' || connection.state === 'finished' || connection.state === 'finishing'
      ? Promise.resolve()
      : connection.close()
  }

  destroy(error?: unknown): void {
    this.#connection()
    this.#giveBack({ how: 'destroy', error })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isReleased) this.#giveBack(REUSE)
  }

  // The connection.

  send(data: Uint8Array | PooledBuffer, options?: OperationOptions): Promise<void> {
    if (!this.#isReleased) return this.#member.connection.send(data, options)
    // A pooled buffer belongs to the connection from the call on, also when the promise rejects.
    if (typeof data === 'object' && data !== null && 'release' in data) data.release()
    return Promise.reject(this.#releasedError())
  }

  trySend(data: Uint8Array | PooledBuffer): boolean {
    return this.#connection().trySend(data)
  }

  whenWritable(options?: OperationOptions): Promise<void> {
    if (this.#isReleased) return Promise.reject(this.#releasedError())
    return this.#member.connection.whenWritable(options)
  }

  flush(options?: OperationOptions): Promise<void> {
    if (this.#isReleased) return Promise.reject(this.#releasedError())
    return this.#member.connection.flush(options)
  }

  async recv(options?: OperationOptions): Promise<Buffer | undefined> {
    const connection = this.#connection()
    return this.#whileReceiving(connection.recv(options))
  }

  async recvLease(options?: OperationOptions): Promise<MessageLease | undefined> {
    const connection = this.#connection()
    return this.#whileReceiving(connection.recvLease(options))
  }

  tryRecvLease(): MessageLease | undefined {
    return this.#connection().tryRecvLease()
  }

  /**
   * Not supported: the callback would stay on the connection after it was given back.
   * @throws NettsError `ERR_NETTS_UNSUPPORTED`
   */
  onMessage(): never {
    throw new NettsError(
      'ERR_NETTS_UNSUPPORTED',
      'a connection of a pool has no onMessage; use recv, recvLease or for await',
      { operation: 'onMessage', address: this.#member.endpoint.address },
    )
  }

  leases(): AsyncIterableIterator<MessageLease> {
    return this.#iterate(this.#connection().leases())
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, void, undefined> {
    return this.#iterate(this.#connection()[Symbol.asyncIterator]())
  }

  alloc(byteLength: number): PooledBuffer {
    return this.#connection().alloc(byteLength)
  }

  finish(): void {
    this.#connection().finish()
  }

  ref(): void {
    this.#connection().ref()
    this.#member.isReferenced = true
  }

  unref(): void {
    this.#connection().unref()
  }

  get closed(): Promise<NettsError | undefined> {
    return this.#member.connection.closed
  }

  get peerEnded(): Promise<void> {
    return this.#connection().peerEnded
  }

  get state(): ConnectionState {
    return this.#connection().state
  }

  get queuedBytes(): number {
    return this.#connection().queuedBytes
  }

  get stats(): ConnectionStats {
    return this.#connection().stats
  }

  get localAddress(): Address {
    return this.#connection().localAddress
  }

  get remoteAddress(): Address {
    return this.#connection().remoteAddress
  }

  get maxMessageSize(): number {
    return this.#connection().maxMessageSize
  }

  get transport(): TransportInfo<T> {
    return this.#connection().transport
  }

  #connection(): Connection<T> {
    if (this.#isReleased) throw this.#releasedError()
    return this.#member.connection
  }

  #releasedError(): NettsError {
    return new NettsError(
      'ERR_NETTS_CONNECTION_RELEASED',
      'this connection was given back to its pool before; acquire another one',
      { address: this.#member.endpoint.address },
    )
  }

  #giveBack(ending: GiveBack): void {
    this.#isReleased = true
    this.#owner.giveBack(this, this.#member, ending)
  }

  /** Records receives that wait or failed: the next borrower must not get their messages. */
  async #whileReceiving<R>(receiving: Promise<R>): Promise<R> {
    const member = this.#member
    member.receiving++
    try {
      return await receiving
    } catch (error) {
      member.isUnclean = true
      throw error
    } finally {
      member.receiving--
    }
  }

  #iterate<M>(iterator: AsyncIterator<M, void, undefined>): AsyncIterableIterator<M> {
    const guarded: AsyncIterableIterator<M> = {
      next: async () => {
        this.#connection()
        return this.#whileReceiving(iterator.next())
      },
      return: () => Promise.resolve({ value: undefined, done: true as const }),
      [Symbol.asyncIterator]: () => guarded,
    }
    return guarded
  }
}
