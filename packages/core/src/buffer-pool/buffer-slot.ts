/** What a driver sees of a pooled buffer: the memory behind it, and the hand-over of its ownership. */
import { invalidArgument, NettsError } from '../errors.js'
import type { PooledBuffer } from './buffer-pool.js'

/** The memory behind a pooled buffer. Whoever took it frees it, once. */
export interface BufferSlot {
  /** The slab that it lies in. */
  readonly slab: Uint8Array
  /**
   * Which of the pool's slabs that is, in the order in which the pool asked for them; negative for plain memory that
   * an application lent.
   */
  readonly slabIndex: number
  /** Where in the slab the buffer begins. */
  readonly byteOffset: number
  /** Gives the memory back to the pool. */
  free(): void
}

/** The brand through which drivers of any copy of this package reach the slot. Calling it takes ownership. */
export const takeSlotSymbol: unique symbol = Symbol.for('@netts/core/take-slot') as never

/** The brand through which a connection of any copy of this package reserves room in front of a buffer. */
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
 * @returns false when this make of pool can't do that
 */
export function setHeadroom(buffer: PooledBuffer, headroom: number): boolean {
  const set = (buffer as unknown as Record<symbol, ((headroom: number) => number) | undefined>)[
    headroomSymbol
  ]
  if (typeof set !== 'function') return false
  set.call(buffer, headroom)
  return true
}

/** The brand through which a buffer changes hands while it waits to be sent. */
export const giveAwaySymbol: unique symbol = Symbol.for('@netts/core/give-away') as never

/**
 * Takes a buffer over from its holder, for whom it is released from here on.
 *
 * @returns the new handle of the same memory; of another make of pool, the same one
 */
export function giveAway(buffer: PooledBuffer): PooledBuffer {
  const give = (buffer as unknown as Record<symbol, (() => PooledBuffer) | undefined>)[giveAwaySymbol]
  return typeof give === 'function' ? give.call(buffer) : buffer
}

/**
 * Checks the arguments of `sendBuffer`, taking nothing yet.
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
      'the buffer is not in memory of this transport; use its bufferPool',
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
 * Takes a buffer's memory over: the {@link PooledBuffer} is released from its holder's point of view, and
 * the caller must {@link BufferSlot.free} the slot.
 */
export function takeSlot(buffer: PooledBuffer): BufferSlot {
  return (buffer as unknown as Record<symbol, () => BufferSlot>)[takeSlotSymbol]!()
}
