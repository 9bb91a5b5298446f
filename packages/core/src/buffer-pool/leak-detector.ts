/** Finds pooled buffers that were never released, with the stack of their allocation. */
import { bufferLeakChannel } from '../diagnostics.js'
import type { OutstandingBuffer, PooledBuffer } from './buffer-pool.js'
import type { BufferSlot } from './buffer-slot.js'

/** Follows every allocation of one pool. Each allocation records a stack trace, which takes some microseconds. */
export class LeakDetector {
  readonly #outstanding = new Map<BufferSlot, OutstandingBuffer>()
  readonly #collected = new FinalizationRegistry<OutstandingBuffer>((buffer) => this.#onLeak(buffer))
  /** Buffers that were garbage-collected without a release. Their memory stays lost. */
  leaked = 0

  /** The stack of the program's call. @param caller the function of the pool that was called; it is not in the stack */
  trace(caller: (...args: never[]) => unknown): string {
    const trace = { stack: '' }
    Error.captureStackTrace(trace, caller)
    return trace.stack.slice(trace.stack.indexOf('\n') + 1)
  }

  onAllocate(handle: PooledBuffer, slot: BufferSlot, stack: string): void {
    const buffer = { byteLength: handle.byteLength, stack }
    this.#outstanding.set(slot, buffer)
    this.#collected.register(handle, buffer, handle)
  }

  /** The memory has a new handle. */
  onGiveAway(successor: PooledBuffer, slot: BufferSlot): void {
    this.#collected.register(successor, this.#outstanding.get(slot)!, successor)
  }

  onRelease(handle: PooledBuffer): void {
    this.#collected.unregister(handle)
  }

  onFree(slot: BufferSlot): void {
    this.#outstanding.delete(slot)
  }

  list(): OutstandingBuffer[] {
    return [...this.#outstanding.values()]
  }

  #onLeak(buffer: OutstandingBuffer): void {
    this.leaked++
    if (bufferLeakChannel.hasSubscribers) bufferLeakChannel.publish(buffer)
    process.emitWarning(`a pooled buffer of ${buffer.byteLength} bytes was never released`, {
      type: 'NettsBufferLeak',
      detail: `allocated\n${buffer.stack}`,
    })
  }
}
