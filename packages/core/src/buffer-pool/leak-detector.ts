/** Finds pooled buffers that nobody released, and says where they were allocated. */
import { bufferLeakChannel } from '../diagnostics.js'
import type { OutstandingBuffer } from './buffer-pool.js'
import type { SlotHandle } from './pooled-buffer.js'
import type { Slot } from './slab-allocator.js'

/** Follows every allocation of one pool: a stack trace each, so it costs microseconds. */
export class LeakDetector {
  readonly #outstanding = new Map<Slot, OutstandingBuffer>()
  readonly #collected = new FinalizationRegistry<OutstandingBuffer>((buffer) => this.#onLeak(buffer))
  /** Buffers that were garbage-collected without a release. Their memory stays lost. */
  leaked = 0

  /** Where an allocation is asked for. @param caller the function behind which the trace begins */
  trace(caller: (...args: never[]) => unknown): string {
    const trace = { stack: '' }
    Error.captureStackTrace(trace, caller)
    return trace.stack.slice(trace.stack.indexOf('\n') + 1)
  }

  onAllocate(handle: SlotHandle, slot: Slot, stack: string): void {
    const buffer = { byteLength: handle.byteLength, stack }
    this.#outstanding.set(slot, buffer)
    this.#collected.register(handle, buffer, handle)
  }

  /** The same memory has a new handle. */
  onGiveAway(successor: SlotHandle, slot: Slot): void {
    this.#collected.register(successor, this.#outstanding.get(slot)!, successor)
  }

  onRelease(handle: SlotHandle): void {
    this.#collected.unregister(handle)
  }

  onFree(slot: Slot): void {
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
