/** The suite that every driver passes, over Duplexes that netts did not make. */
import {
  type ConformanceFixture,
  type CrashablePeer,
  type PeerTask,
  runPeerTask,
  transportConformance,
} from '@netts/conformance'
import type { Address } from '@netts/core'
import { afterAll, describe, it } from 'vitest'
import { silentAddress, startCrashablePeer } from '../../tcp/test/processes.js'
import { overPairs, overSockets, type PairNetwork } from './duplex-builder.js'

/** What was started for a test, or for all of them. */
const started: { close(): Promise<void> }[] = []
let silent: ReturnType<typeof silentAddress> | undefined

async function closeStarted(): Promise<void> {
  for (const one of started.splice(0)) await one.close()
}

afterAll(async () => {
  await closeStarted()
  await (await silent)?.close()
})

/** Sockets; the bytes on their wire are those of `tcp()`, and so are the peers that crash. */
function sockets(): ConformanceFixture {
  return {
    builder: overSockets(),
    listenAddress: () => ({ host: '127.0.0.1', port: 0 }),
    async silentAddress() {
      silent ??= silentAddress()
      return (await silent).address
    },
    async startCrashablePeer(task) {
      const peer = await startCrashablePeer(task)
      started.push(peer)
      return peer
    },
  }
}

/** Pairs in memory; a peer crashes when the Duplex under its transport is destroyed. */
function pairs(network: PairNetwork): ConformanceFixture {
  return {
    builder: network.builder,
    listenAddress: () => ({ host: '127.0.0.1', port: 0 }),
    silentAddress: () => network.silentAddress,
    startCrashablePeer: (task) => startPeerOnPair(network, task),
  }
}

async function startPeerOnPair({ builder, links }: PairNetwork, task: PeerTask): Promise<CrashablePeer> {
  const index = links.length
  let onListening: (address: Address) => void = () => {}
  const listening = new Promise<Address>((resolve) => {
    onListening = resolve
  })
  const running = runPeerTask(builder, task, onListening)
  return {
    address: task.role === 'connect' ? task.address : await listening,
    async crash() {
      await running
      links[index]?.[task.role === 'connect' ? 'client' : 'server'].destroy()
    },
  }
}

const fixtures: Readonly<Record<string, () => ConformanceFixture>> = {
  'sockets of node:net': sockets,
  'pairs of Duplexes': () => pairs(overPairs()),
  'pairs, in the smallest window': () =>
    pairs(overPairs({ maxSendSize: 1024, sendDepth: 1, recvWindow: 1024 }, 1024)),
}

for (const [name, setup] of Object.entries(fixtures)) {
  transportConformance({
    name: `transportFromDuplex over ${name}`,
    capabilities: { detectsPeerCrash: false, reset: false },
    setup,
    teardown: closeStarted,
    describe,
    it,
    bulkByteLength: 2 ** 20,
    connections: 60,
    schedules: 6,
  })
}
