/** The reference program, as two processes that connect through the library. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { loopbackIsMissing, pingpongProgram } from '../lib/index.js'

const ITERATIONS = 300

/** Starts the server; it prints its port first. */
async function serve(...args: string[]): Promise<{ child: ChildProcess; port: string }> {
  const child = spawn(pingpongProgram(), ['server', '0', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = (await once(createInterface(child.stdout!), 'line')) as [string]
  return { child, port }
}

async function statusOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}

describe.skipIf(loopbackIsMissing())('ping-pong in C over the loopback device', () => {
  it.each([
    ['polling', '64', []],
    ['polling, in messages of several packets', '50000', []],
    ['sleeping until an event', '64', ['events']],
    ['sleeping, in messages that are larger than the wire has room for', '400000', ['events']],
  ])('%s, every answer is the message', async (_, byteLength, mode) => {
    const args = [`${ITERATIONS}`, byteLength, ...mode]
    const { child: server, port } = await serve(...args)
    const client = spawn(pingpongProgram(), ['client', port, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    client.stdout.on('data', (chunk: Buffer) => {
      output += chunk
    })
    expect(await statusOf(client)).toBe(0)
    expect(await statusOf(server)).toBe(0)
    const { iterations, p50Us, p99Us } = JSON.parse(output) as Record<string, number>
    expect(iterations).toBe(ITERATIONS)
    expect(p99Us).toBeGreaterThanOrEqual(p50Us!)
  })
})
