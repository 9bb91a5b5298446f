/** The conformance suite over the addon, on the loopback device: for any test runner. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ConformanceFixture,
  type ConformanceOptions,
  type PeerTask,
  runPeerTask,
  transportConformance,
} from '@netts/conformance'
import {
  LOOPBACK_ADDRESS,
  LOOPBACK_DEVICE,
  type LoopbackSettings,
  loopbackEnvironment,
  useLoopback,
} from '@netts/loopback'
import { openVerbs } from '@netts/verbs'
import type { RdmaOptions } from '@netts/verbs/endpoint'
import { crashableChild } from './crashable-child.js'
import { openCounts } from './open-counts.js'
import type { EndSettings, TestedDriver } from './tested-driver.js'

/** An address of nobody (RFC 5737), where the loopback device does not answer. */
const NOBODY = '192.0.2.77'

/** A driver, and the program that is its peer in a process of its own: it calls {@link runLoopbackPeer}. */
export interface LoopbackDriver<O extends RdmaOptions> extends TestedDriver<O> {
  /** Its path. */
  readonly peerProgram: string
}

/** What a peer is told, in the variable `NETTS_LOOPBACK_PEER`. */
interface LoopbackPeer<O> {
  readonly task: PeerTask
  readonly options: O | undefined
}

/** The whole of a peer's program. */
export async function runLoopbackPeer<O extends RdmaOptions>(driver: TestedDriver<O>): Promise<void> {
  const { task, options } = JSON.parse(process.env.NETTS_LOOPBACK_PEER!) as LoopbackPeer<O>
  await runPeerTask(driver.build(options), task, (address) => process.send?.(address))
}

/** Runs the suite with each of the settings. Peers that crash are processes of their own. */
export function loopbackConformance<O extends RdmaOptions>(
  driver: LoopbackDriver<O>,
  runner: Pick<ConformanceOptions, 'describe' | 'it'>,
  settings: Readonly<Record<string, EndSettings<O>>>,
  loopback: LoopbackSettings = {},
  options: Partial<ConformanceOptions> = {},
): void {
  const folder = mkdtempSync(join(tmpdir(), 'netts-loopback-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const countersPath = join(folder, 'counters')
  useLoopback({ ...loopback, countersPath })
  for (const [name, setting] of Object.entries(settings)) {
    const suite = `${driver.name} on ${LOOPBACK_DEVICE}: ${name}`
    transportConformance({
      name: suite,
      capabilities: { detectsPeerCrash: true, reset: true },
      creditBased: true,
      setup: () => fixture(driver, setting),
      bulkByteLength: 2 ** 20,
      connections: 50,
      bufferedByteLength: 2 ** 21,
      schedules: 10,
      deadlineMs: 10_000,
      ...runner,
      ...options,
    })
    runner.describe(suite, () => {
      runner.it('never found a receiver not ready', async () => {
        // The first and only counter.
        assert.equal(readFileSync(countersPath).readBigUInt64LE(0), 0n)
      })
    })
  }
}

/** Without sanitizers: what they are to look at is this process, and with them a peer takes long to start. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _, NETTS_VERBS_ADDON: __, ...env } = process.env
  return { ...env, ...loopbackEnvironment() }
}

function fixture<O extends RdmaOptions>(
  driver: LoopbackDriver<O>,
  { client, server }: EndSettings<O>,
): ConformanceFixture {
  return {
    builder: driver.build(client),
    listenBuilder: driver.build(server),
    listenAddress: () => ({ host: LOOPBACK_ADDRESS, port: 0 }),
    silentAddress: () => ({ host: NOBODY, port: 4711 }),
    async startCrashablePeer(task) {
      const own = task.role === 'listen' ? { ...task, address: { host: LOOPBACK_ADDRESS, port: 0 } } : task
      const peer: LoopbackPeer<O> = { task: own, options: task.role === 'listen' ? server : client }
      const child = fork(driver.peerProgram, [], {
        execArgv: ['--conditions=@netts/source', '--import', 'tsx'],
        env: { ...plainEnvironment(), NETTS_LOOPBACK_PEER: JSON.stringify(peer) },
      })
      return crashableChild(child, task)
    },
    resources: () => openCounts('the process', openVerbs()),
  }
}
