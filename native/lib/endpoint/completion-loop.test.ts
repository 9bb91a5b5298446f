/** The completion loop against the simulated device: no completion is ever missed, however it waits. */
import { pid } from 'node:process'
import { threadId } from 'node:worker_threads'
import { describe, expect, it, vi } from 'vitest'
import { connectPair, type End, type EndOptions } from '../../test/device-suite/pair.js'
import type { SimulatedFabric, SimulatedHost } from '../simulated.js'
import { createSimulatedFabric, forEachSeed } from '../simulated.js'
import type { CompletionChannel } from '../verbs/completion-queue.js'
import { COMPLETION, SendFlag, SendOpcode } from '../verbs/layout.js'
import type { Verbs } from '../verbs/verbs.js'
import type { CompletionSink } from './completion-dispatch.js'
import { CompletionLoop, type Polling } from './completion-loop.js'

const POLLING: readonly Polling[] = ['event', 'adaptive', 'busy']
const empty = { opcode: SendOpcode.send, flags: SendFlag.signalled }

const options = (polling: Polling) => ({ polling, adaptiveMicroseconds: 50, spinMicroseconds: 20 })

/** Counts what it is handed, and remembers the batches. */
class Counter implements CompletionSink {
  count = 0
  inBatch = 0
  readonly batches: number[] = []
  failure: unknown
  onBatch: (() => void) | undefined

  onCompletion(words: Uint32Array, at: number): void {
    expect(words[at + COMPLETION.status]).toBe(0)
    this.count++
    this.inBatch++
  }

  onBatchEnd(): void {
    this.batches.push(this.inBatch)
    this.inBatch = 0
    this.onBatch?.()
  }

  onQueueFailure(error: unknown): void {
    this.failure = error
    this.onBatch?.()
  }

  async reach(count: number): Promise<void> {
    while (this.count < count && !this.failure) {
      await new Promise<void>((resolve) => {
        this.onBatch = resolve
      })
    }
  }
}

interface Looped {
  readonly fabric: SimulatedFabric
  readonly client: SimulatedHost
  readonly server: SimulatedHost
  readonly loop: CompletionLoop
  readonly channel: CompletionChannel
  /** Connects, with the server's completions in the loop. */
  connect(workRequests?: number): Promise<{ client: End; server: End; sink: Counter; stop(): void }>
}

async function withLoop(
  polling: Polling,
  count: number,
  body: (looped: Looped) => Promise<void>,
): Promise<void> {
  await forEachSeed({ mode: 'roce', count }, async (fabric) => {
    const client = fabric.createHost()
    const server = fabric.createHost()
    const device = server.devices()[0]!
    const makeChannel = vi.spyOn(device, 'createCompletionChannel')
    const loop = new CompletionLoop(device, server.clock, options(polling))
    const channel = makeChannel.mock.results[0]!.value as CompletionChannel
    makeChannel.mockRestore()
    const bench = {
      client,
      server,
      serverHost: server.address,
      settle: <T>(promise: Promise<T>) => promise,
    }
    await body({
      fabric,
      client,
      server,
      loop,
      channel,
      async connect(workRequests = 64) {
        const shared = loop.reserve(workRequests)
        const ends: EndOptions = {
          queuePair: { sendCompletionQueue: shared.queue, receiveCompletionQueue: shared.queue },
        }
        const pair = await connectPair(bench, { server: ends })
        const sink = new Counter()
        const { number } = pair.server.queuePair
        loop.route(shared, number, sink)
        return {
          ...pair,
          sink,
          stop() {
            pair.close()
            loop.retire(shared, workRequests, number)
          },
        }
      },
    })
    loop.close()
    expect(server.counts.completionQueues).toBe(0)
  })
}

describe.each(POLLING)('a completion loop that waits by %s', (polling) => {
  it('misses nothing, whenever it comes', async () => {
    await withLoop(polling, 40, async ({ connect, fabric }) => {
      const { client, server, sink, stop } = await connect()
      for (let round = 1; round <= 10; round++) {
        server.receive({}, {}, {})
        client.send(empty, empty, empty)
        await sink.reach(round * 3)
        await client.completions.succeed(3)
        if (fabric.random.chance(0.5)) await pause(client.verbs)
      }
      expect(sink.batches.reduce((sum, size) => sum + size, 0)).toBe(30)
      stop()
    })
  })

  it('hands completions of one queue to the queue pairs they belong to', async () => {
    await withLoop(polling, 20, async ({ connect, server }) => {
      const pairs = [await connect(), await connect(), await connect()]
      // One queue for three, beside the three that these ends make for themselves.
      expect(server.counts.completionQueues).toBe(4)
      for (const [index, pair] of pairs.entries()) {
        pair.server.receive(...Array.from({ length: index + 1 }, () => ({})))
        pair.client.send(...Array.from({ length: index + 1 }, () => empty))
      }
      await Promise.all(pairs.map(({ sink }, index) => sink.reach(index + 1)))
      expect(pairs.map(({ sink }) => sink.count)).toEqual([1, 2, 3])
      for (const { stop } of pairs) stop()
    })
  })
})

describe('a completion loop', () => {
  it('has the vector of its process and thread, so that they spread over all there are', () => {
    for (const completionVectors of [1, 7, 64]) {
      const fabric = createSimulatedFabric({ mode: 'roce', seed: 1 })
      const host = fabric.createHost({ limits: { completionVectors } })
      const device = host.devices()[0]!
      const makeChannel = vi.spyOn(device, 'createCompletionChannel')
      const loop = new CompletionLoop(device, host.clock, options('event'))
      expect(makeChannel.mock.calls[0]![0]!.vector).toBe((pid + threadId) % completionVectors)
      loop.close()
    }
  })

  it('makes another queue when one is full', async () => {
    await withLoop('event', 5, async ({ loop, server }) => {
      const first = loop.reserve(4000)
      const second = loop.reserve(97)
      expect(second.queue).not.toBe(first.queue)
      expect(loop.reserve(96).queue).toBe(first.queue)
      expect(server.counts.completionQueues).toBe(2)
      loop.retire(first, 4000, undefined)
      loop.retire(second, 97, undefined)
      expect(server.counts.completionQueues).toBe(1)
      loop.retire(first, 96, undefined)
    })
  })

  it('has few queues for a thousand connections, and none of them when they are gone', async () => {
    await withLoop('event', 1, async ({ loop, server }) => {
      const workRequests = 200
      const reserved = Array.from({ length: 1000 }, () => loop.reserve(workRequests))
      const { maxCompletions } = server.devices()[0]!.attributes
      expect(server.counts.completionQueues).toBeLessThanOrEqual(4 + (1000 * workRequests) / maxCompletions)
      for (const { queue, reserved: completions } of reserved) {
        expect(completions).toBeLessThanOrEqual(queue.maxCompletions)
      }
      for (const shared of reserved) loop.retire(shared, workRequests, undefined)
      expect(server.counts.completionQueues).toBe(0)
    })
  })

  it('takes one turn for a wake, whatever the number of queues', async () => {
    await withLoop('event', 3, async ({ connect, channel, server, client: host }) => {
      const pairs = [await connect(4000), await connect(4000), await connect(4000)]
      // Beside those that the ends make for themselves.
      expect(server.counts.completionQueues).toBe(3 + 3)
      await pause(host)
      const poll = vi.spyOn(channel, 'poll')
      const arm = vi.spyOn(channel, 'arm')
      const [first] = pairs
      first!.server.receive({})
      first!.client.send(empty)
      await first!.sink.reach(1)
      await first!.client.completions.succeed(1)
      await pause(host)
      // One look that finds it, one that finds no more; then it sleeps again.
      expect(poll.mock.calls.length).toBeLessThanOrEqual(2)
      expect(arm).toHaveBeenCalledTimes(1)
      poll.mockRestore()
      arm.mockRestore()
      for (const { stop } of pairs) stop()
    })
  })

  it('takes no turn for a wake while it polls: the next one comes anyway', async () => {
    await withLoop('busy', 3, async ({ connect, loop, channel, client }) => {
      const { stop } = await connect()
      loop.ref()
      await pause(client)
      const poll = vi.spyOn(channel, 'poll')
      channel.onNotify!()
      expect(poll).not.toHaveBeenCalled()
      poll.mockRestore()
      loop.unref()
      stop()
    })
  })

  it('looks again behind its turn for the answer to what was posted there, while it polls', async () => {
    for (const polling of POLLING) {
      await withLoop(polling, 5, async ({ connect, loop, channel }) => {
        const { client, server, sink, stop } = await connect()
        server.receive({})
        client.send(empty)
        await sink.reach(1)
        const poll = vi.spyOn(channel, 'poll')
        const pollsInTick = async () => {
          poll.mockClear()
          await new Promise<void>((resolve) => process.nextTick(resolve))
          return poll.mock.calls.length
        }
        expect(await pollsInTick()).toBe(0)
        loop.posted()
        loop.posted()
        expect(await pollsInTick()).toBe(polling === 'event' ? 0 : 1)
        poll.mockRestore()
        stop()
      })
    }
  })

  it('sleeps when nothing happens', async () => {
    await withLoop('adaptive', 10, async ({ connect, fabric, client }) => {
      const { stop } = await connect()
      await pause(client)
      const { steps } = fabric
      await pause(client)
      expect(fabric.steps - steps).toBeLessThan(5)
      stop()
    })
  })

  it('lets timers run while completions never end', async () => {
    await withLoop('event', 5, async ({ connect, client: host }) => {
      const { client, server, sink, stop } = await connect()
      let running = true
      let ticks = 0
      sink.onBatch = () => {
        if (!running) return
        server.receive({}, {})
        client.completions.poll().length = 0
        client.tryPost(empty)
        client.tryPost(empty)
      }
      const tick = () => {
        ticks++
        if (ticks < 5) host.clock.setTimer(tick, 0)
        else running = false
      }
      server.receive({}, {}, {}, {})
      client.send(empty, empty)
      tick()
      await new Promise<void>((resolve) => {
        const watch = () => (running ? host.clock.setTimer(watch, 0) : resolve())
        watch()
      })
      stop()
    })
  })

  it('tells every connection of a queue that failed', async () => {
    await withLoop('event', 10, async ({ loop, server }) => {
      const shared = loop.reserve(10)
      const sink = new Counter()
      loop.route(shared, 1234, sink)
      server.failCall('ibv_poll_cq', 'EIO')
      await sink.reach(1)
      expect(sink.failure).toMatchObject({ code: 'ERR_NETTS_VERBS' })
      loop.retire(shared, 10, 1234)
    })
  })

  it.each(['onCompletion', 'onBatchEnd'] as const)(
    'tells a sink that throws from %s, and hands the rest of the batch to its neighbours',
    async (method) => {
      await withLoop('event', 10, async ({ connect }) => {
        const [bad, good] = [await connect(), await connect()]
        const taken = bad.sink[method].bind(bad.sink) as (words: Uint32Array, at: number) => void
        bad.sink[method] = (...given: [] | [Uint32Array, number]) => {
          taken(...(given as [Uint32Array, number]))
          throw new Error('on purpose')
        }
        for (const { server } of [bad, good]) server.receive({}, {})
        for (const { client } of [bad, good]) client.send(empty, empty)
        await good.sink.reach(2)
        while (bad.sink.failure === undefined) await pause(bad.client.verbs)
        expect(bad.sink.failure).toEqual(new Error('on purpose'))
        expect(good.sink.failure).toBeUndefined()
        bad.stop()
        good.stop()
      })
    },
  )
})

function pause({ clock }: Verbs): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, 1))
}
