/** The simulation itself: schedules that replay, faults at any step, limits, and what only it can show. */
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import type { Bench } from '../../test/device-suite/bench.js'
import { connectPair } from '../../test/device-suite/pair.js'
import {
  createSimulatedFabric,
  forEachSeed,
  type SimulatedFabric,
  type SimulationMode,
} from '../simulated.js'
import type { DeviceEvent } from '../verbs/device.js'
import { AccessFlag, SendFlag, SendOpcode } from '../verbs/layout.js'

const empty = { opcode: SendOpcode.send, flags: SendFlag.signalled }

function bench(fabric: SimulatedFabric) {
  const client = fabric.createHost({ name: 'client' })
  const server = fabric.createHost({ name: 'server' })
  const settle = <T>(promise: Promise<T>) => fabric.settle(promise)
  return { client, server, serverHost: server.address, settle } satisfies Bench
}

/** Some traffic. */
async function talk(fabric: SimulatedFabric): Promise<void> {
  const { client, server, close } = await connectPair(bench(fabric))
  server.receive(...Array.from({ length: 8 }, () => ({})))
  client.send(...Array.from({ length: 8 }, () => empty))
  await Promise.all([client.completions.succeed(8), server.completions.succeed(8)])
  close()
}

describe('a schedule', () => {
  it('is the same for the same seed, and another for another', async () => {
    const run = async (seed: number, schedule: 'fair' | 'hostile') => {
      const fabric = createSimulatedFabric({ mode: 'roce', seed, schedule })
      await fabric.settle(talk(fabric))
      return fabric.trace
    }
    for (const schedule of ['fair', 'hostile'] as const) {
      const traces = new Set<string>()
      for (let seed = 1; seed <= 20; seed++) {
        const trace = await run(seed, schedule)
        expect(await run(seed, schedule)).toBe(trace)
        traces.add(trace)
      }
      expect(traces.size).toBeGreaterThan(15)
    }
  })

  it('that makes a test fail is reported with its seed, which replays', async () => {
    // A program with a race: it expects the send to complete before the receive does.
    const racy = async (fabric: SimulatedFabric) => {
      const { client, server, close } = await connectPair(bench(fabric))
      server.receive({})
      client.send(empty)
      const first = await Promise.race([
        client.completions.succeed(1).then(() => 'send'),
        server.completions.succeed(1).then(() => 'receive'),
      ])
      if (first === 'receive') throw new Error('the receive came first')
      close()
    }
    const failure = await forEachSeed({ mode: 'roce', count: 100 }, racy).catch((error: Error) => error)
    const seed = /NETTS_SIMULATION_SEED=(\d+)/.exec(String(failure))?.[1]
    expect(seed).toBeDefined()
    expect(String(failure)).toContain('deliver')
    process.env.NETTS_SIMULATION_SEED = seed
    try {
      await expect(forEachSeed({ mode: 'roce', count: 1 }, racy)).rejects.toThrow(
        `failed with seed ${seed} in mode roce: Error: the receive came first`,
      )
    } finally {
      delete process.env.NETTS_SIMULATION_SEED
    }
  })

  it('in which nothing can happen any more is an error, not a hang', async () => {
    const fabric = createSimulatedFabric({ mode: 'roce', seed: 1 })
    await expect(fabric.settle(new Promise(() => {}))).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
  })

  it('waits for what happens outside of the simulation', async () => {
    const fabric = createSimulatedFabric({ mode: 'roce', seed: 1 })
    expect(await fabric.settle(sleep(20, 'done'))).toBe('done')
  })
})

describe('a fabric that runs by itself', () => {
  const here = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)))

  /** Runs a program with two connected endpoints: `near` and `far`. */
  function run(body: string) {
    const program = `
      import { createSimulatedFabric } from ${here('../simulated.ts')}
      import { connectEndpoint } from ${here('../endpoint/connector.ts')}
      import { listenForMessengers, messengerOf, messengerOptions } from ${here('../../test/endpoint-suite/messenger.ts')}
      const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      const options = messengerOptions('event')
      const { listener, accept, address } = listenForMessengers(server, server.address, options)
      const [near, far] = await Promise.all([connectEndpoint(client, address, options), accept()])
      ${body}`
    const node = ['--conditions=@netts/source', '--import', 'tsx', '--input-type=module', '-e', program]
    return spawnSync(process.execPath, node, { encoding: 'utf8', timeout: 20_000 })
  }

  it('keeps a program alive that waits for something', () => {
    // Timers of a device keep nothing alive: what is open does.
    const { status, stdout, stderr } = run(`
      server.clock.setTimer(() => messengerOf(far).send('late'), 100)
      console.log(await messengerOf(near).messages(1))
      server.clock.setTimer(() => far.close(), 100)
      await messengerOf(near).closed
      listener.close()
      console.log('closed')`)
    expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: "[ 'late' ]\nclosed\n" })
  })

  it("lets a program end that closed or unref'd everything, or whose hosts are dead", () => {
    const unrefd = run('for (const open of [near, far, listener]) open.unref()')
    expect(unrefd, unrefd.stderr).toMatchObject({ status: 0, signal: null })
    const dead = run('server.kill(); client.powerOff()')
    expect(dead, dead.stderr).toMatchObject({ status: 0, signal: null })
  })

  it('goes on under fake timers', async () => {
    vi.useFakeTimers()
    try {
      const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
      await talk(fabric)
      const started = fabric.nowMs
      await new Promise<void>((resolve) => fabric.hosts[0]!.clock.setTimer(resolve, 20))
      expect(fabric.nowMs - started).toBeGreaterThan(15)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe.each<SimulationMode>(['roce', 'iwarp'])('on simulated %s', (mode) => {
  it('a process killed at any step leaves its peer with an end', async () => {
    for (let at = 1; at < 60; at++) {
      const fabric = createSimulatedFabric({ mode, seed: at })
      const both = bench(fabric)
      fabric.onStep = (step) => {
        if (step === at) both.server.kill()
      }
      const outcome = await fabric.settle(
        Promise.race([
          connectPair(both).then(
            () => 'connected',
            () => 'refused',
          ),
          new Promise((resolve) => both.client.clock.setTimer(() => resolve('timed out'), 200_000)),
        ]),
      )
      expect(['connected', 'refused', 'timed out']).toContain(outcome)
      both.client.close()
      both.server.close()
      await fabric.advance(300_000)
      for (const { counts } of [both.client, both.server]) {
        expect(Object.values(counts).every((count) => count === 0)).toBe(true)
      }
    }
  })

  it('runs by itself, in real time, when asked to', async () => {
    const fabric = createSimulatedFabric({ mode, drive: 'auto' })
    await talk(fabric)
    const { clock } = fabric.createHost()
    const started = performance.now()
    await new Promise<void>((resolve) => {
      clock.setTimer(resolve, 30)
      // Timers of the simulation do not keep the process alive; this does.
      setTimeout(() => {}, 200)
    })
    expect(performance.now() - started).toBeGreaterThan(25)
  })

  it('an overrun completion queue fails, with its queue pairs', async () => {
    const fabric = createSimulatedFabric({ mode, seed: 5 })
    await fabric.settle(
      (async () => {
        const both = bench(fabric)
        const { client, server, close } = await connectPair(both, { server: { maxCompletions: 3 } })
        const events: DeviceEvent[] = []
        server.device.onEvent = (event) => events.push(event)
        server.receive(...Array.from({ length: 8 }, () => ({})))
        client.send(...Array.from({ length: 4 }, () => empty))
        while (!events.some(({ type }) => type === 'qp-fatal')) {
          await new Promise<void>((resolve) => both.client.clock.setTimer(resolve, 1))
        }
        expect(events[0]).toMatchObject({ type: 'cq-error', completionQueue: server.completions.queue })
        expect(server.queuePair.state).toBe('error')
        expect(server.completions.queue.poll()).toBe(3)
        expect(() => server.completions.queue.poll()).toThrow(/overrun/)
        close()
      })(),
    )
  })

  it('limits of the device and of memory are kept', async () => {
    const fabric = createSimulatedFabric({ mode, seed: 1 })
    const host = fabric.createHost({
      memlockLimitBytes: 24_000,
      limits: { maxMemoryRegions: 3, maxCompletionQueues: 1 },
    })
    const domain = host.devices()[0]!.allocateProtectionDomain()
    domain.registerRegion({ byteLength: 10_000 })
    expect(() => domain.registerRegion({ byteLength: 12_289 })).toThrow(/RLIMIT_MEMLOCK is 24000/)
    domain.registerRegion({ byteLength: 1 })
    domain.registerRegion({ byteLength: 1 }).close()
    domain.registerRegion({ byteLength: 1 })
    expect(() => domain.registerRegion({ byteLength: 1 })).toThrow(/at most 3/)
    const channel = host.devices()[0]!.createCompletionChannel()
    channel.createCompletionQueue({ maxCompletions: 1 })
    expect(() => channel.createCompletionQueue({ maxCompletions: 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_NETTS_VERBS' }),
    )
    host.close()
    expect(host.pinnedBytes).toBe(0)
  })

  it('a call can be made to fail, once, after so many that succeed', () => {
    const host = createSimulatedFabric({ mode, seed: 1 }).createHost()
    host.failCall('ibv_alloc_pd', 'ENOMEM', 2)
    const outcomes = [1, 2, 3, 4].map(() => {
      try {
        host.devices()[0]!.allocateProtectionDomain()
        return 'made'
      } catch (error) {
        return (error as { cause: { code: string } }).cause.code
      }
    })
    expect(outcomes).toEqual(['made', 'made', 'ENOMEM', 'made'])
  })

  it('a receive that is missing is counted', async () => {
    const fabric = createSimulatedFabric({ mode, seed: 3 })
    const both = bench(fabric)
    await fabric.settle(
      (async () => {
        const { client, close } = await connectPair(both)
        client.send(empty)
        await new Promise<void>((resolve) => both.client.clock.setTimer(resolve, 100))
        close()
      })(),
    )
    expect(both.server.counters.receiverNotReady).toBeGreaterThan(0)
    expect(both.client.counters.receiverNotReady).toBe(0)
  })

  it('memory changes piece by piece under a Write', async () => {
    let torn = 0
    await forEachSeed({ mode, count: 60 }, async (fabric) => {
      const { client, server, close } = await connectPair(bench(fabric), {
        server: { access: AccessFlag.localWrite | AccessFlag.remoteWrite },
      })
      client.region.bytes.fill(1, 0, 100)
      client.send({
        ...empty,
        opcode: SendOpcode.write,
        entries: [{ region: client.region, byteLength: 100 }],
        remoteAddress: server.region.remoteAddress,
        remoteKey: server.region.remoteKey,
      })
      for (let look = 0; look < 20; look++) {
        const first = server.region.bytes.indexOf(0)
        if (first > 0 && first < 100) torn++
        // Anything may happen between two calls.
        server.completions.poll()
      }
      close()
    })
    expect(torn).toBeGreaterThan(0)
  })

  it('numbers of queue pairs come back, as on real devices', async () => {
    const fabric = createSimulatedFabric({ mode, seed: 2 })
    await fabric.settle(
      (async () => {
        const both = bench(fabric)
        const numbers: number[] = []
        for (let round = 0; round < 10; round++) {
          const { client, close } = await connectPair(both)
          numbers.push(client.queuePair.number)
          close()
        }
        expect(new Set(numbers).size).toBeLessThan(10)
      })(),
    )
  })

  it('a program of a dead host runs no more', async () => {
    const fabric = createSimulatedFabric({ mode, seed: 2 })
    const host = fabric.createHost()
    let ran = false
    host.clock.setTimer(() => {
      ran = true
    }, 1)
    host.kill()
    await fabric.advance(10)
    expect(ran).toBe(false)
    expect(() => host.createCmId()).toThrow(/killed/)
  })
})
