/** Ground for conformance tests on simulated devices. */

import { type ConformanceFixture, type PeerTask, runPeerTask } from '@netts/conformance'
import type { Address } from '@netts/core'
import { createSimulatedFabric, type Schedule, type SimulationMode } from '@netts/verbs/simulated'
import { type SendRecvOptions, sendRecvOver } from '../src/index.js'
import { openCounts } from './open-counts.js'

/** How the two ends are set up. */
export interface SimulatedSetting {
  readonly mode: SimulationMode
  readonly client?: SendRecvOptions
  readonly server?: SendRecvOptions
  readonly schedule?: Schedule
  readonly seed?: number
}

/** Two hosts of a fabric that runs by itself. */
export function simulatedFixture({
  mode,
  schedule,
  client,
  server,
  seed,
}: SimulatedSetting): ConformanceFixture {
  const fabric = createSimulatedFabric({
    mode,
    drive: 'auto',
    ...(schedule && { schedule }),
    ...(seed === undefined ? {} : { seed }),
  })
  const clientHost = fabric.createHost({ name: 'client' })
  const serverHost = fabric.createHost({ name: 'server' })
  return {
    builder: sendRecvOver({ ...client, verbs: clientHost }),
    listenBuilder: sendRecvOver({ ...server, verbs: serverHost }),
    listenAddress: () => ({ host: serverHost.address, port: 0 }),
    silentAddress: () => {
      const silent = fabric.createHost({ name: 'silent' })
      silent.powerOff()
      return { host: silent.address, port: 4711 }
    },
    async startCrashablePeer(task: PeerTask) {
      const host = fabric.createHost({ name: 'victim' })
      const listenTask = { ...task, address: { host: host.address, port: 0 } }
      const builder = sendRecvOver({ ...client, verbs: host })
      const address = await new Promise<Address>((resolve, reject) => {
        runPeerTask(builder, task.role === 'listen' ? listenTask : task, resolve).catch(reject)
        if (task.role === 'connect') resolve(task.address)
      })
      return { address, crash: () => host.kill() }
    },
    resources: () => ({ ...openCounts('client', clientHost), ...openCounts('server', serverHost) }),
  }
}
