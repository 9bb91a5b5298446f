/** Finding buffers that nobody released. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import { DIAGNOSTICS_CHANNELS } from '../diagnostics.js'
import { collectGarbage } from '../test-support/collect-garbage.js'
import type { BufferPool, OutstandingBuffer, PooledBuffer } from './buffer-pool.js'
import { takeSlot } from './buffer-slot.js'
import { createBufferPool } from './create-buffer-pool.js'

function forgetful(pool: BufferPool): void {
  pool.alloc(123)
}

function careful(pool: BufferPool): PooledBuffer {
  return pool.alloc(45)
}

describe('leak detection', () => {
  it('warns of a buffer that was collected without a release, and says where it was allocated', async () => {
    const pool = createBufferPool({ detectLeaks: true })
    const published: OutstandingBuffer[] = []
    const onLeak = (message: unknown) => published.push(message as OutstandingBuffer)
    subscribe(DIAGNOSTICS_CHANNELS.bufferLeak, onLeak)
    const warnings: (Error & { detail?: string })[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    forgetful(pool)
    careful(pool).release()
    for (let attempt = 0; attempt < 100 && warnings.length === 0; attempt++) {
      collectGarbage()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    process.off('warning', onWarning)
    unsubscribe(DIAGNOSTICS_CHANNELS.bufferLeak, onLeak)
    expect(warnings).toMatchObject([
      { name: 'NettsBufferLeak', message: 'a pooled buffer of 123 bytes was never released' },
    ])
    expect(warnings[0]!.detail).toContain('forgetful')
    expect(published).toMatchObject([{ byteLength: 123, stack: expect.stringContaining('forgetful') }])
    expect(pool.stats).toMatchObject({ leaked: 1, outstanding: 1 })
  })

  it('lists what is handed out, also to a transport, by where it was allocated', async () => {
    const pool = createBufferPool({ detectLeaks: true, classes: [{ byteLength: 64, count: 1 }] })
    const buffer = careful(pool)
    const [listed] = pool.outstandingBuffers()
    expect(listed).toMatchObject({ byteLength: 45, stack: expect.stringMatching(/^\s*at careful/) })
    const slot = takeSlot(buffer)
    expect(pool.outstandingBuffers()).toEqual([listed])
    const waiting = (function patient() {
      return pool.allocAsync(6)
    })()
    slot.free()
    await waiting
    expect(pool.outstandingBuffers()).toMatchObject([
      { byteLength: 6, stack: expect.stringMatching(/^\s*at patient/) },
    ])
    ;(await waiting).release()
    expect(pool.outstandingBuffers()).toEqual([])
  })

  it('is off unless asked for', () => {
    expect(() => createBufferPool().outstandingBuffers()).toThrow(
      expect.objectContaining({ code: 'ERR_NETTS_INVALID_STATE' }),
    )
  })
})
