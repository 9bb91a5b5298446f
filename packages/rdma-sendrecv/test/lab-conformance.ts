/**
 * The conformance suite on the kernel's own devices. The file that runs it is the crashable peer, too: as a child
 * process, it finds its task in the environment.
 */
import { fork } from 'node:child_process'
import { describe, it } from 'node:test'
import { type ConformanceFixture, type PeerTask, runPeerTask, transportConformance } from '@netts/conformance'
import type { Address } from '@netts/core'
import { openVerbs } from '@netts/verbs'
import { sendRecv } from '../src/index.js'
import { openCounts } from './open-counts.js'

interface LabDevice {
  readonly name: string
  readonly type: string
  readonly address: string
}

const PEER_TASK = 'NETTS_PEER_TASK'

/** Runs the suite on the lab's device of this type, or the task of a peer. */
export async function labConformance(type: 'rxe' | 'siw'): Promise<void> {
  const task = process.env[PEER_TASK]
  if (task !== undefined) {
    await runPeerTask(sendRecv(), JSON.parse(task) as PeerTask, (address) => process.send?.(address))
    return
  }
  const devices = JSON.parse(process.env.NETTS_LAB_DEVICES ?? '[]') as LabDevice[]
  const device = devices.find((device) => device.type === type)
  if (!device) throw new Error(`there is no ${type} device here: npx pnpm lab -- COMMAND`)
  transportConformance({
    name: `rdma-sendrecv on ${device.name}`,
    capabilities: { detectsPeerCrash: true, reset: true },
    setup: () => labFixture(device.address),
    describe,
    it: (title, body) => void it(title, { timeout: 60_000 }, body),
    bulkByteLength: 2 ** 18,
    connections: 16,
    bufferedByteLength: 2 ** 21,
    schedules: 3,
    deadlineMs: 20_000,
  })
}

function labFixture(address: string): ConformanceFixture {
  return {
    builder: sendRecv(),
    listenAddress: () => ({ host: address, port: 0 }),
    async startCrashablePeer(task) {
      const own = task.role === 'listen' ? { ...task, address: { host: address, port: 0 } } : task
      const child = fork(process.argv[1]!, [], {
        env: { ...process.env, [PEER_TASK]: JSON.stringify(own), NODE_TEST_CONTEXT: '' },
      })
      const listening = new Promise<Address>((resolve, reject) => {
        child.once('message', (message) => resolve(message as Address))
        child.once('exit', () => reject(new Error('the peer ended')))
        if (task.role === 'connect') resolve(task.address)
      })
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      return {
        address: await listening,
        crash: () => {
          child.kill('SIGKILL')
          return gone
        },
      }
    },
    resources: () => openCounts('the process', openVerbs()),
  }
}
