/**
 * The conformance suite on the kernel's own devices. The file that runs it is the crashable peer, too: as a child
 * process, it gets its task as a message.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import {
  type ConformanceFixture,
  type ConformanceOptions,
  type PeerTask,
  runPeerTask,
  transportConformance,
} from '@netts/conformance'
import { openVerbs } from '@netts/verbs'
import type { RdmaOptions } from '@netts/verbs/endpoint'
import { ChildrenAhead, crashableChild } from './crashable-child.js'
import {
  assertAlwaysReady,
  type LabDevice,
  labDevices,
  type RepeatCounts,
  repeatCounts,
} from './lab-devices.js'
import { openCounts } from './open-counts.js'
import type { EndSettings, TestedDriver } from './tested-driver.js'

/** What a peer is told. */
interface Peer<O> {
  readonly task: PeerTask
  readonly options: O | undefined
}

/** Set in the environment of a peer. */
const PEER = 'NETTS_CONFORMANCE_PEER'

/**
 * Runs the suite on the lab's devices of these types, with each of the settings; or the task of a peer.
 * @param options in place of those of the suite
 */
export async function labConformance<O extends RdmaOptions>(
  driver: TestedDriver<O>,
  types: readonly LabDevice['type'][],
  settings: Readonly<Record<string, EndSettings<O>>>,
  options: Partial<ConformanceOptions> = {},
): Promise<void> {
  if (process.env[PEER] !== undefined) {
    const [{ task, options }] = (await once(process, 'message')) as [Peer<O>]
    await runPeerTask(driver.build(options), task, (address) => process.send?.(address))
    return
  }
  const children = new ChildrenAhead(() =>
    fork(process.argv[1]!, [], { env: { ...process.env, [PEER]: 'yes', NODE_TEST_CONTEXT: '' } }),
  )
  after(() => children.end())
  for (const type of types) {
    const device = labDevices().find((device) => device.type === type)
    if (!device) throw new Error(`there is no ${type} device here: npx pnpm lab -- COMMAND`)
    for (const [name, setting] of Object.entries(settings)) {
      const suite = `${driver.name} on ${device.name}: ${name}`
      describe(suite, () => {
        let atFirst: RepeatCounts
        before(() => {
          atFirst = repeatCounts(device)
        })
        transportConformance({
          name: suite,
          capabilities: { detectsPeerCrash: true, reset: true },
          creditBased: true,
          setup: () => labFixture(driver, device, setting, children),
          describe,
          it: (title, body) => void it(title, { timeout: 60_000 }, body),
          bulkByteLength: 2 ** 20,
          connections: 16,
          bufferedByteLength: 2 ** 21,
          schedules: 5,
          deadlineMs: 20_000,
          ...options,
        })
        // On Soft-iWARP, that would have ended the connection.
        if (type === 'siw') return
        it('never found a receiver not ready', () => assertAlwaysReady(device, atFirst))
      })
    }
  }
}

function labFixture<O extends RdmaOptions>(
  driver: TestedDriver<O>,
  device: LabDevice,
  { client, server }: EndSettings<O>,
  children: ChildrenAhead,
): ConformanceFixture {
  const { address } = device
  return {
    builder: driver.build(client),
    listenBuilder: driver.build(server),
    listenAddress: () => ({ host: address, port: 0 }),
    silentAddress: () => ({ host: address.replace(/\d+$/, '77'), port: 4711 }),
    async startCrashablePeer(task) {
      const own = task.role === 'listen' ? { ...task, address: { host: address, port: 0 } } : task
      const peer: Peer<O> = { task: own, options: task.role === 'listen' ? server : client }
      const child = children.take()
      child.send(peer)
      return crashableChild(child, task)
    },
    resources: () => openCounts('the process', openVerbs()),
  }
}
