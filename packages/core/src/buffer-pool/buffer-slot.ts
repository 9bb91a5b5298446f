/** The memory behind a pooled buffer, and how its ownership passes to a driver. */
import { invalidArgument, NettsError } from '../errors.js'
import type { PooledBuffer } from './buffer-pool.js'

/** The memory behind a pooled buffer. A driver that took it with {@link takeSlot} owns it, and frees it once. */
export interface BufferSlot {
  /** The slab that contains it. */
  readonly slab: Uint8Array
  /**
   * The index of the slab in its pool, in the order of the calls of `allocateSlab`; negative for host memory that the
   * application lent.
   */
  readonly slabIndex: number
  /** Where in the slab the buffer begins, in bytes. */
  readonly byteOffset: number
  /** Gives the memory back to the pool. Call it once. */
  free(): void
}

/** The key of the method by which drivers of every copy of this package take the slot. */
export const takeSlotSymbol: unique symbol = Symbol.for('@netts/core/take-slot') as never

/** The key of the method by which connections of every copy of this package reserve room in front of a buffer. */
export const headroomSymbol: unique symbol = Symbol.for('@netts/core/headroom') as never

/** Whether `value` is a {@link PooledBuffer}, of this copy of the package or another one. */
export function isPooledBuffer(value: unknown): value is PooledBuffer {
  return (
    typeof (value as Partial<Record<symbol, unknown>> | null | undefined)?.[takeSlotSymbol] === 'function'
  )
}

/** How many bytes are hidden in front of a buffer's `bytes`; negative after its release. */
export function headroomOf(buffer: PooledBuffer): number {
  return (buffer as unknown as Record<symbol, (() => number) | undefined>)[headroomSymbol]?.() ?? 0
}

/**
 * Hides the first `headroom` bytes of a buffer (0 shows them again); `byteLength` changes accordingly.
 *
 * @returns `false` when the pool is not of this package and does not support it
 */
export function setHeadroom(buffer: PooledBuffer, headroom: number): boolean {
  const set = (buffer as unknown as Record<symbol, ((headroom: number) => number) | undefined>)[
    headroomSymbol
  ]
  if (typeof set !== 'function') return false
  set.call(buffer, headroom)
  return true
}

/** The key of the method by which a buffer gets a new owner while it waits to be sent. */
export const giveAwaySymbol: unique symbol = Symbol.for('@netts/core/give-away') as never

/**
 * Takes a buffer over from its holder, for whom it is released from then on.
 *
 * @returns a new handle of the same memory; the same handle if the pool is not of this package
 */
export function giveAway(buffer: PooledBuffer): PooledBuffer {
  const give = (buffer as unknown as Record<symbol, (() => PooledBuffer) | undefined>)[giveAwaySymbol]
  return typeof give === 'function' ? give.call(buffer) : buffer
}

/**
 * Checks the arguments of `sendBuffer`. The buffer remains its holder's.
 *
 * @returns the length in bytes to send
 * @throws NettsError as documented for `Transport.sendBuffer`
 */
export function checkSendRange(
  buffer: PooledBuffer,
  domain: symbol,
  maxSendSize: number,
  byteOffset: number,
  byteLength: number | undefined,
): number {
  if (!isPooledBuffer(buffer)) throw invalidArgument('buffer must be a PooledBuffer', 'sendBuffer')
  if (buffer.pool.domain !== domain) {
    throw new NettsError(
      'ERR_NETTS_FOREIGN_BUFFER',
      'the buffer is not in memory that this transport can send from; allocate it from its bufferPool',
      {
        operation: 'sendBuffer',
      },
    )
  }
  const available = buffer.bytes.byteLength
  const length = byteLength ?? available - byteOffset
  if (
    !Number.isInteger(byteOffset) ||
    !Number.isInteger(length) ||
    byteOffset < 0 ||
    length < 1 ||
    byteOffset + length > available
  ) {
    throw invalidArgument(
      `range ${byteOffset}+${length} is empty or not within the buffer's ${available} bytes`,
      'sendBuffer',
    )
  }
  if (length > maxSendSize) {
    throw invalidArgument(`${length} bytes exceed maxSendSize (${maxSendSize})`, 'sendBuffer')
  }
  return length
}

/**
 * Takes the memory of a buffer over from its holder, for whom the {@link PooledBuffer} is released from then on. The caller
 * must {@link BufferSlot.free} the slot once.
 *
 * @throws NettsError `ERR_NETTS_BUFFER_RELEASED` when the buffer was released or sent before;
 *   `ERR_NETTS_INVALID_ARGUMENT` for a buffer of `Connection.alloc`, which only its connection can send
 */
export function takeSlot(buffer: PooledBuffer): BufferSlot {
  return (buffer as unknown as Record<symbol, () => BufferSlot>)[takeSlotSymbol]!()
}
