/** Keepalive: asks only when it hears nothing, and gives up when nothing comes back. */
import { describe, expect, it } from 'vitest'
import { createSimulatedFabric } from '../simulated.js'
import { KeepAlive } from './keep-alive.js'

function start(options = { keepAliveIntervalMs: 100, keepAliveTimeoutMs: 300 }) {
  const fabric = createSimulatedFabric({ mode: 'roce', seed: 1 })
  const { clock } = fabric.createHost()
  const seen = {
    probes: 0,
    silentAtMs: undefined as number | undefined,
    onLook: undefined as (() => void) | undefined,
  }
  const keepAlive = new KeepAlive(clock, options, {
    probe: () => {
      seen.probes++
    },
    look: () => seen.onLook?.(),
    onSilent: () => {
      seen.silentAtMs = Math.round(clock.now())
    },
  })
  keepAlive.start()
  return { fabric, keepAlive, seen }
}

describe('keepalive', () => {
  it('asks after an interval of silence, and once', async () => {
    const { fabric, seen } = start()
    await fabric.advance(99)
    expect(seen.probes).toBe(0)
    await fabric.advance(200)
    expect(seen).toMatchObject({ probes: 1, silentAtMs: undefined })
  })

  it('does not ask while it hears something', async () => {
    const { fabric, keepAlive, seen } = start()
    for (let round = 0; round < 20; round++) {
      keepAlive.heard()
      await fabric.advance(50)
    }
    expect(seen.probes).toBe(0)
  })

  it('gives up when nothing comes back in time', async () => {
    const { fabric, seen } = start()
    await fabric.advance(1000)
    expect(seen).toMatchObject({ probes: 1, silentAtMs: 400 })
  })

  it('looks for an answer before it gives up', async () => {
    const { fabric, keepAlive, seen } = start()
    seen.onLook = () => keepAlive.answered()
    await fabric.advance(1000)
    expect(seen.silentAtMs).toBe(undefined)
  })

  it('does not hold the time against the peer in which the event loop stood still', async () => {
    const { fabric, keepAlive, seen } = start()
    await fabric.advance(150)
    fabric.block(600)
    // Whatever comes in is seen from now on.
    await fabric.advance(200)
    expect(seen.silentAtMs).toBe(undefined)
    keepAlive.answered()
    await fabric.advance(100)
    expect(seen.silentAtMs).toBe(undefined)
    await fabric.advance(1000)
    expect(seen.silentAtMs).toBeGreaterThan(1400)
  })

  it('goes on after an answer', async () => {
    const { fabric, keepAlive, seen } = start()
    for (let round = 1; round <= 5; round++) {
      await fabric.advance(150)
      keepAlive.answered()
      await fabric.advance(250)
    }
    expect(seen.probes).toBeGreaterThan(1)
    expect(seen.silentAtMs).toBe(undefined)
  })

  it('never asks when told so, or stopped', async () => {
    const off = start({ keepAliveIntervalMs: 0, keepAliveTimeoutMs: 300 })
    await off.fabric.advance(10_000)
    const stopped = start()
    stopped.keepAlive.stop()
    await stopped.fabric.advance(10_000)
    expect([off.seen.probes, stopped.seen.probes]).toEqual([0, 0])
  })
})
