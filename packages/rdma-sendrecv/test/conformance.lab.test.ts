/** The conformance suite on the kernel's own devices: Soft-RoCE and Soft-iWARP. This file is the crashable peer, too. */
import { fork } from 'node:child_process'
import { describe, it } from 'node:test'
import { type ConformanceFixture, type PeerTask, runPeerTask, transportConformance } from '@netts/conformance'
import type { Address } from '@netts/core'
import { openVerbs } from '@netts/verbs'
import { sendRecv } from '../src/index.js'
import { openCounts } from './open-counts.js'

interface LabDevice {
  readonly name: string
  readonly address: string
}

const peerTask = process.env.NETTS_PEER_TASK

if (peerTask !== undefined) {
  await runPeerTask(sendRecv(), JSON.parse(peerTask) as PeerTask, (address) => process.send?.(address))
} else {
  for (const { name, address } of JSON.parse(process.env.NETTS_LAB_DEVICES ?? '[]') as LabDevice[]) {
    transportConformance({
      name: `rdma-sendrecv on ${name}`,
      capabilities: { detectsPeerCrash: true, reset: true },
      setup: () => labFixture(address),
      describe,
      it: (title, body) => void it(title, { timeout: 40_000 }, body),
      bulkByteLength: 2 ** 18,
      connections: 20,
      bufferedByteLength: 2 ** 21,
      schedules: 3,
      deadlineMs: 15_000,
    })
  }
}

function labFixture(address: string): ConformanceFixture {
  return {
    builder: sendRecv(),
    listenAddress: () => ({ host: address, port: 0 }),
    async startCrashablePeer(task) {
      const own = task.role === 'listen' ? { ...task, address: { host: address, port: 0 } } : task
      const child = fork(process.argv[1]!, [], {
        env: { ...process.env, NETTS_PEER_TASK: JSON.stringify(own), NODE_TEST_CONTEXT: '' },
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
