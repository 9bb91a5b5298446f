/** The reference program, as two processes that connect through the library. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import {
  type LoopbackSettings,
  loopbackEnvironment,
  loopbackIsMissing,
  loopbackTitle,
  pingpongProgram,
} from '../lib/index.js'

const ITERATIONS = 300

const stdio: StdioOptions = ['ignore', 'pipe', 'inherit']

async function statusOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}

/** Runs both ends. @returns what the client prints */
async function play(args: string[], settings?: LoopbackSettings): Promise<Record<string, number>> {
  const env = { ...process.env, ...loopbackEnvironment(settings) }
  const server = spawn(pingpongProgram(), ['server', '0', ...args], { stdio, env })
  const [port] = (await once(createInterface(server.stdout!), 'line')) as [string]
  const client = spawn(pingpongProgram(), ['client', port, ...args], { stdio, env })
  let output = ''
  client.stdout!.on('data', (chunk: Buffer) => {
    output += chunk
  })
  expect(await statusOf(client)).toBe(0)
  expect(await statusOf(server)).toBe(0)
  return JSON.parse(output) as Record<string, number>
}

describe.skipIf(loopbackIsMissing())(loopbackTitle('ping-pong in C over the loopback device'), () => {
  it.each([
    ['polling', '64', []],
    ['polling, in messages of several packets', '50000', []],
    ['sleeping until an event', '64', ['events']],
    ['sleeping, in messages that are larger than the wire has room for', '400000', ['events']],
  ])('%s, every answer is the message', async (_, byteLength, mode) => {
    const { iterations, p50Us, p99Us } = await play([`${ITERATIONS}`, byteLength, ...mode])
    expect(iterations).toBe(ITERATIONS)
    expect(p99Us).toBeGreaterThanOrEqual(p50Us!)
  })

  it('nothing arrives before the wire has carried it', async () => {
    const late = await play(['50', '64'], { latencyNs: 200_000 })
    expect(late.minUs).toBeGreaterThanOrEqual(400)
    // 10 000 bytes at 0.1 Gbit/s are 800 µs, each way.
    const slow = await play(['20', '10000'], { gigabitsPerSecond: 0.1 })
    expect(slow.minUs).toBeGreaterThanOrEqual(1600)
  })
})
