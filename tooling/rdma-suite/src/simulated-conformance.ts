/** The conformance suite on simulated devices: for any test runner. */
import {
  type ConformanceFixture,
  type ConformanceOptions,
  type PeerTask,
  runPeerTask,
  transportConformance,
} from '@netts/conformance'
import type { Address } from '@netts/core'
import type { Verbs } from '@netts/verbs'
import type { RdmaOptions } from '@netts/verbs/endpoint'
import { createSimulatedFabric, type Schedule, type SimulationMode } from '@netts/verbs/simulated'
import { openCounts } from './open-counts.js'
import type { EndSettings, TestedDriver } from './tested-driver.js'

/** How the two ends are set up. */
export interface SimulatedSetting<O extends RdmaOptions> extends EndSettings<O> {
  readonly mode: SimulationMode
  readonly schedule?: Schedule
  readonly seed?: number
}

/** Runs the suite with each of the settings. */
export function simulatedConformance<O extends RdmaOptions>(
  driver: TestedDriver<O>,
  runner: Pick<ConformanceOptions, 'describe' | 'it'>,
  settings: Readonly<Record<string, SimulatedSetting<O>>>,
  options: Partial<ConformanceOptions> = {},
): void {
  for (const [name, setting] of Object.entries(settings)) {
    transportConformance({
      name: `${driver.name} on simulated ${name}`,
      capabilities: { detectsPeerCrash: true, reset: true },
      creditBased: true,
      setup: () => fixture(driver, setting),
      bulkByteLength: 2 ** 18,
      connections: 50,
      bufferedByteLength: 2 ** 21,
      schedules: 10,
      deadlineMs: 8000,
      ...runner,
      ...options,
    })
  }
}

/** Two hosts of a fabric that runs by itself. */
function fixture<O extends RdmaOptions>(
  driver: TestedDriver<O>,
  { mode, schedule, client, server, seed }: SimulatedSetting<O>,
): ConformanceFixture {
  const build = (options: O | undefined, verbs: Verbs) => driver.buildOver({ ...options!, verbs })
  const fabric = createSimulatedFabric({
    mode,
    drive: 'auto',
    ...(schedule && { schedule }),
    ...(seed === undefined ? {} : { seed }),
  })
  const clientHost = fabric.createHost({ name: 'client' })
  const serverHost = fabric.createHost({ name: 'server' })
  return {
    builder: build(client, clientHost),
    listenBuilder: build(server, serverHost),
    listenAddress: () => ({ host: serverHost.address, port: 0 }),
    silentAddress: () => {
      const silent = fabric.createHost({ name: 'silent' })
      silent.powerOff()
      return { host: silent.address, port: 4711 }
    },
    async startCrashablePeer(task: PeerTask) {
      const host = fabric.createHost({ name: 'victim' })
      const listenTask = { ...task, address: { host: host.address, port: 0 } }
      const builder = build(client, host)
      const address = await new Promise<Address>((resolve, reject) => {
        runPeerTask(builder, task.role === 'listen' ? listenTask : task, resolve).catch(reject)
        if (task.role === 'connect') resolve(task.address)
      })
      return { address, crash: () => host.kill() }
    },
    resources: () => ({ ...openCounts('client', clientHost), ...openCounts('server', serverHost) }),
  }
}
