/** The suite catches devices that are broken: each breakage below fails the tests that are about it. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SimulatedCompletionQueue } from '../../lib/simulated/completion-queue.js'
import { Host } from '../../lib/simulated/host.js'
import { MemoryTable, type RegisteredRegion } from '../../lib/simulated/memory-table.js'
import { SimulatedQueuePair } from '../../lib/simulated/queue-pair.js'
import { onSimulatedDevices } from '../simulated-suite.js'
import { deviceSuite } from './device-suite.js'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Runs the suite, or these of its tests, on a RoCE and an iWARP device. @returns the names of those that failed */
async function failures(only?: readonly string[]): Promise<Set<string>> {
  const tests: { name: string; body: () => Promise<void> }[] = []
  onSimulatedDevices(deviceSuite, {
    describe: (_name, body) => body(),
    it: (name, body) => {
      if (!only || only.includes(name)) tests.push({ name, body })
    },
    rounds: 2,
  })
  const failed = new Set<string>()
  for (const { name, body } of tests) await body().catch(() => failed.add(name))
  return failed
}

interface Breakage {
  readonly what: string
  readonly sabotage: () => void
  /** Tests that have to notice, among others. */
  readonly noticed: readonly string[]
}

const breakages: readonly Breakage[] = [
  {
    what: 'keys and access flags are not checked',
    sabotage() {
      const regions: RegisteredRegion[] = []
      const add = MemoryTable.prototype.add
      vi.spyOn(MemoryTable.prototype, 'add').mockImplementation(function (this: MemoryTable, region) {
        regions.push(region)
        return add.call(this, region)
      })
      vi.spyOn(MemoryTable.prototype, 'reach').mockImplementation((_queuePair, _key, address, byteLength) => {
        const region = regions.find(
          ({ remoteAddress, byteLength: length }) =>
            remoteAddress <= address && address < remoteAddress + BigInt(length),
        )
        const offset = Number(address - (region?.remoteAddress ?? 0n))
        return region?.bytes.subarray(offset, offset + byteLength)
      })
    },
    noticed: [
      'a Write without permission changes nothing and breaks the connection',
      'a Write with a wrong key changes nothing and breaks the connection',
      'a region that was closed is out of reach',
    ],
  },
  {
    what: 'queues never notify',
    sabotage: () => vi.spyOn(SimulatedCompletionQueue.prototype, 'arm').mockImplementation(() => {}),
    noticed: ['an armed queue notifies once, and not again until it is armed anew'],
  },
  {
    what: 'every fourth completion is lost',
    sabotage() {
      const push = SimulatedCompletionQueue.prototype.push
      let count = 0
      vi.spyOn(SimulatedCompletionQueue.prototype, 'push').mockImplementation(function (
        this: SimulatedCompletionQueue,
        completion,
      ) {
        if (++count % 4 !== 0) push.call(this, completion)
      })
    },
    noticed: ['keeps the order of messages and of their completions'],
  },
  {
    what: 'nothing is flushed',
    sabotage: () => vi.spyOn(SimulatedQueuePair.prototype, 'fail').mockImplementation(() => {}),
    noticed: ['posts made in the error state are flushed'],
  },
  {
    what: 'closed regions stay registered',
    sabotage: () => vi.spyOn(Host.prototype, 'releasedResource').mockImplementation(() => {}),
    noticed: ['connects, and both ends know the addresses'],
  },
  {
    what: 'completions change places',
    sabotage() {
      const poll = SimulatedCompletionQueue.prototype.poll
      vi.spyOn(SimulatedCompletionQueue.prototype, 'poll').mockImplementation(function (
        this: SimulatedCompletionQueue,
      ) {
        const count = poll.call(this)
        const first = this.completions.slice(0, 9)
        if (count > 1) {
          this.completions.copyWithin(0, 9, 18)
          this.completions.set(first, 9)
        }
        return count
      })
    },
    noticed: ['keeps the order of messages and of their completions'],
  },
]

describe('the device suite', () => {
  it('passes on an intact device', async () => {
    expect(await failures()).toEqual(new Set())
  })

  it.each(breakages)('notices when $what', async ({ sabotage, noticed }) => {
    sabotage()
    expect(await failures(noticed)).toEqual(new Set(noticed))
  })
})
