/** Keepalive: asks only when it hears nothing, and gives up when nothing comes back. */
import { describe, expect, it } from 'vitest'
import { createSimulatedFabric } from '../simulated.js'
import type { Clock } from '../verbs/verbs.js'
import { DeviceEnvironment } from './device-environment.js'
import { KeepAlive, KeepAliveRounds } from './keep-alive.js'

const OPTIONS = { keepAliveIntervalMs: 100, keepAliveTimeoutMs: 300 }

function start(options = OPTIONS) {
  const fabric = createSimulatedFabric({ mode: 'roce', seed: 1 })
  const { clock } = fabric.createHost()
  const rounds = new KeepAliveRounds(clock, options)
  const watch = () => {
    const seen = {
      probes: 0,
      silentAtMs: undefined as number | undefined,
      onLook: undefined as (() => void) | undefined,
    }
    const keepAlive = new KeepAlive({
      probe: () => {
        seen.probes++
      },
      look: () => seen.onLook?.(),
      onSilent: () => {
        seen.silentAtMs = Math.round(clock.now())
        rounds.remove(keepAlive)
      },
    })
    rounds.add(keepAlive)
    return { keepAlive, seen }
  }
  return { fabric, rounds, watch, ...watch() }
}

/** An event loop as Node.js has it, whose timers are late: a turn calls them, takes input, and then calls immediates. */
class LateLoop implements Clock {
  readonly #timers: (() => void)[] = []
  readonly #immediates: (() => void)[] = []

  now(): number {
    return 0
  }

  setTimer(callback: () => void) {
    return add(this.#timers, callback)
  }

  setImmediate(callback: () => void) {
    return add(this.#immediates, callback)
  }

  turn(input?: () => void): void {
    for (const callback of this.#timers.splice(0)) callback()
    input?.()
    for (const callback of this.#immediates.splice(0)) callback()
  }
}

function add(callbacks: (() => void)[], callback: () => void) {
  callbacks.push(callback)
  return {
    close() {
      const at = callbacks.indexOf(callback)
      if (at >= 0) callbacks.splice(at, 1)
    },
  }
}

/** A peer that is watched in such an event loop. */
function watchLate() {
  const loop = new LateLoop()
  const rounds = new KeepAliveRounds(loop, OPTIONS)
  const seen = { probes: 0, isSilent: false }
  const keepAlive = new KeepAlive({
    probe: () => {
      seen.probes++
    },
    look: () => {},
    onSilent: () => {
      seen.isSilent = true
    },
  })
  rounds.add(keepAlive)
  /** Until it was quiet for so many rounds. */
  const untilQuietFor = (count: number) => {
    while (keepAlive.quietRounds < count) loop.turn()
  }
  return { loop, rounds, keepAlive, seen, untilQuietFor }
}

describe('keepalive', () => {
  it('asks after an interval of silence, up to a quarter of it later, and once', async () => {
    const { fabric, seen } = start()
    await fabric.advance(100)
    expect(seen.probes).toBe(0)
    await fabric.advance(30)
    expect(seen.probes).toBe(1)
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
    expect(seen).toMatchObject({ probes: 1, silentAtMs: 425 })
  })

  it('looks for an answer before it gives up', async () => {
    const { fabric, keepAlive, seen } = start()
    seen.onLook = () => keepAlive.answered()
    await fabric.advance(1000)
    expect(seen.silentAtMs).toBe(undefined)
  })

  it('judges after the event loop has looked for input, which may be an answer', () => {
    /** @returns the round in which the peer was given up, of so many */
    const givenUpIn = (rounds: number, answeredIn?: number) => {
      const [timers, immediates]: (() => void)[][] = [[], []]
      const at = (list: (() => void)[]) => (callback: () => void) => {
        list.push(callback)
        return { close: () => {} }
      }
      const clock = { now: () => 0, setTimer: at(timers!), setImmediate: at(immediates!) }
      let isSilent = false
      const onSilent = () => {
        isSilent = true
      }
      const peer = new KeepAlive({ probe: () => {}, look: () => {}, onSilent })
      new KeepAliveRounds(clock, OPTIONS).add(peer)
      for (let round = 1; round <= rounds; round++) {
        for (const callback of timers!.splice(0)) callback()
        if (round === answeredIn) peer.answered()
        while (immediates!.length > 0) for (const callback of immediates!.splice(0)) callback()
        if (isSilent) return round
      }
      return undefined
    }
    const last = givenUpIn(100)!
    expect(last).toBeGreaterThan(1)
    expect(givenUpIn(last, last)).toBe(undefined)
  })

  it('does not hold the time against the peer in which the event loop stood still', async () => {
    const { fabric, keepAlive, seen } = start()
    await fabric.advance(150)
    expect(seen.probes).toBe(1)
    fabric.block(10_000)
    // Whatever comes in is seen from now on.
    await fabric.advance(200)
    expect(seen.silentAtMs).toBe(undefined)
    keepAlive.answered()
    await fabric.advance(1000)
    expect(seen.silentAtMs).toBeGreaterThan(10_700)
  })

  it('does not ask a peer whose words are waiting to be taken', () => {
    const { loop, keepAlive, seen, untilQuietFor } = watchLate()
    untilQuietFor(4)
    loop.turn(() => keepAlive.heard())
    for (let turns = 0; turns < 4; turns++) loop.turn()
    expect(seen.probes).toBe(0)
    untilQuietFor(4)
    for (let turns = 0; turns < 4; turns++) loop.turn()
    expect(seen.probes).toBe(1)
  })

  it('does not call silent a peer whose end is waiting to be told', () => {
    const { loop, rounds, keepAlive, seen, untilQuietFor } = watchLate()
    untilQuietFor(4)
    while (seen.probes === 0) loop.turn()
    untilQuietFor(11)
    loop.turn(() => rounds.remove(keepAlive))
    for (let turns = 0; turns < 4; turns++) loop.turn()
    expect(seen.isSilent).toBe(false)
  })

  it('has one timer for all connections of a device with the same intervals', () => {
    const host = createSimulatedFabric({ mode: 'roce', seed: 1 }).createHost()
    const environment = DeviceEnvironment.acquire(host, host.devices()[0]!)
    const rounds = environment.keepAliveRounds(OPTIONS)
    expect(environment.keepAliveRounds({ ...OPTIONS })).toBe(rounds)
    expect(environment.keepAliveRounds({ ...OPTIONS, keepAliveTimeoutMs: 301 })).not.toBe(rounds)
    environment.release()
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

  it('keeps to its rounds when the last peer ends and another comes within one', async () => {
    const { fabric, keepAlive, seen, rounds, watch } = start()
    let second: ReturnType<typeof watch> | undefined
    seen.onLook = () => {
      rounds.remove(keepAlive)
      second = watch()
    }
    await fabric.advance(500)
    expect(second?.seen.probes).toBe(0)
    await fabric.advance(500)
    expect(second?.seen).toMatchObject({ probes: 1, silentAtMs: 825 })
  })

  it('wakes as often for a thousand peers as for one', async () => {
    const { fabric, watch, rounds } = start()
    const peers = [...Array.from({ length: 999 }, watch)]
    const steps = async () => {
      const before = fabric.steps
      await fabric.advance(100)
      return fabric.steps - before
    }
    const ofThousand = await steps()
    for (const { keepAlive } of peers) rounds.remove(keepAlive)
    expect(ofThousand).toBeGreaterThan(0)
    expect(ofThousand).toBeLessThanOrEqual((await steps()) + 3)
  })

  it('asks a thousand peers in a few turns, and each of them once', async () => {
    const { fabric, watch } = start()
    const peers = Array.from({ length: 999 }, watch)
    await fabric.advance(150)
    expect(peers.map(({ seen }) => seen.probes)).toEqual(peers.map(() => 1))
  })

  it('never asks when told so, or no longer watched', async () => {
    const off = start({ keepAliveIntervalMs: 0, keepAliveTimeoutMs: 300 })
    await off.fabric.advance(10_000)
    const stopped = start()
    stopped.rounds.remove(stopped.keepAlive)
    await stopped.fabric.advance(10_000)
    expect([off.seen.probes, stopped.seen.probes]).toEqual([0, 0])
    expect(stopped.fabric.steps).toBe(0)
  })
})
