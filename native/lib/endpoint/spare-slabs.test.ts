/** Slabs that are registered ahead: there before they are needed, never in the way, and given back. */
import type { PooledBuffer } from '@netts/core'
import { describe, expect, it, vi } from 'vitest'
import { createSimulatedFabric } from '../simulated.js'
import { DeviceEnvironment } from './device-environment.js'

const SLAB_BYTES = 64 * 1024
const BUFFER_BYTES = 4096
/** Of which a slab holds sixteen. */
const CLASSES = [{ byteLength: BUFFER_BYTES, count: 1024 }]

function open(options: { memlockLimitBytes?: number } = {}) {
  const fabric = createSimulatedFabric({ mode: 'roce', seed: 1 })
  const host = fabric.createHost(options)
  const environment = DeviceEnvironment.acquire(host, host.devices()[0]!)
  const pool = environment.createBufferPool({ classes: CLASSES, slabByteLength: SLAB_BYTES })
  const registerNow = vi.spyOn(environment.protectionDomain, 'registerRegion')
  const taken: PooledBuffer[] = []
  const take = (count: number) => {
    for (let left = count; left > 0; left--) taken.push(pool.alloc(BUFFER_BYTES))
  }
  const close = () => {
    for (const buffer of taken) buffer.release()
    pool.close()
    environment.release()
  }
  return { fabric, host, environment, registerNow, take, close }
}

describe('a pool of registered memory', () => {
  it('has its next slab registered ahead, once few buffers are left', async () => {
    const { fabric, host, registerNow, take, close } = open()
    take(11)
    await fabric.advance(1)
    expect(host.counts.memoryRegions).toBe(1)
    take(1)
    await fabric.advance(1)
    expect(host.counts.memoryRegions).toBe(2)
    registerNow.mockClear()
    take(16)
    expect(registerNow).not.toHaveBeenCalled()
    await fabric.advance(1)
    expect(host.counts.memoryRegions).toBe(3)
    close()
    expect([host.counts.memoryRegions, host.pinnedBytes]).toEqual([0, 0])
  })

  it('registers by itself what was not ready in time', () => {
    const { registerNow, take, close } = open()
    take(32)
    expect(registerNow).toHaveBeenCalledTimes(2)
    close()
  })

  it('gives back what is being registered when it ends', async () => {
    const { fabric, host, take, close } = open()
    take(12)
    close()
    await fabric.advance(1)
    expect([host.counts.memoryRegions, host.pinnedBytes]).toEqual([0, 0])
  })

  it('prepares nothing that the process may not pin, and says so only when it is needed', async () => {
    const { fabric, host, take, close } = open({ memlockLimitBytes: SLAB_BYTES })
    take(16)
    await fabric.advance(1)
    expect(host.counts.memoryRegions).toBe(1)
    expect(() => take(1)).toThrow(expect.objectContaining({ code: 'ERR_NETTS_POOL_EXHAUSTED' }))
    close()
  })

  it('gives up what it prepared for who needs it now', async () => {
    const { fabric, environment, host, take, close } = open({ memlockLimitBytes: 2 * SLAB_BYTES })
    take(12)
    await fabric.advance(1)
    expect(host.counts.memoryRegions).toBe(2)
    const other = environment.registerSlab(SLAB_BYTES / 2)
    expect(host.counts.memoryRegions).toBe(2)
    other.close()
    close()
    expect(host.pinnedBytes).toBe(0)
  })

  it('goes on without what could not be prepared', async () => {
    const { fabric, host, registerNow, take, close } = open()
    take(1)
    host.failCall('ibv_reg_mr', 'EINVAL')
    take(11)
    await fabric.advance(1)
    expect(host.counts.memoryRegions).toBe(1)
    registerNow.mockClear()
    take(5)
    expect(registerNow).toHaveBeenCalledTimes(1)
    close()
  })
})
