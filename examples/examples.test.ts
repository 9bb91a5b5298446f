/** Every example runs, as its README says. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'

const loader = ['--conditions=@netts/source', '--import', 'tsx']
const running: ChildProcess[] = []

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

function start(program: string, args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(program, import.meta.url))
  const child = spawn(process.execPath, [...loader, path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  running.push(child)
  return child
}

/** Starts a server on a free port. */
async function serve(program: string, ...args: string[]): Promise<{ port: string; stop(): Promise<number> }> {
  const child = start(program, ['0', ...args])
  let port: string | undefined
  for await (const line of createInterface(child.stdout!)) {
    port = /^listening .*port: (\d+)/.exec(line)?.[1]
    if (port) break
  }
  child.stdout!.resume()
  if (!port) throw new Error(`${program} does not listen`)
  return {
    port,
    async stop() {
      const exited = once(child, 'exit') as Promise<[number]>
      child.kill('SIGTERM')
      return (await exited)[0]
    },
  }
}

/** Runs a client to its end. @returns what it printed */
async function run(program: string, ...args: string[]): Promise<string> {
  const child = start(program, args)
  let output = ''
  child.stdout!.on('data', (data) => {
    output += data
  })
  expect(await once(child, 'close')).toEqual([0, null])
  return output
}

it('echo', async () => {
  const { port, stop } = await serve('echo/server.ts')
  expect(await run('echo/client.ts', port, 'hello', 'there')).toBe('hello\nthere\n')
  expect(await stop()).toBe(0)
}, 60_000)

it('rpc: answers, a deadline, cancelling', async () => {
  const { port, stop } = await serve('rpc/server.ts')
  const lines = (await run('rpc/client.ts', port)).split('\n')
  expect(lines.slice(0, 4)).toEqual([
    'add: 6',
    "both: [ 'slept 50 ms', 9 ]",
    'late: sleep did not answer within 100 ms',
    'cancelled: the answer is no longer needed',
  ])
  expect(await stop()).toBe(0)
}, 60_000)

it('file-transfer', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netts-files-'))
  try {
    const bytes = Buffer.alloc(3_000_000, 'some text ')
    const path = join(tmpdir(), `netts-${process.pid}.bin`)
    writeFileSync(path, bytes)
    const { port, stop } = await serve('file-transfer/receive.ts', folder)
    expect(await run('file-transfer/send.ts', port, path)).toMatch(
      /^\d+ %, \d+ bytes queued\n[\s\S]*\ndone\n$/,
    )
    expect(readFileSync(join(folder, `netts-${process.pid}.bin`)).equals(bytes)).toBe(true)
    expect(await stop()).toBe(0)
    rmSync(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)

it('publish-subscribe: every subscriber of the topic gets everything in order', async () => {
  const { port, stop } = await serve('publish-subscribe/broker.ts')
  const subscribe = (topic: string, count: number) => {
    const child = start('publish-subscribe/subscribe.ts', [port, topic, String(count)])
    const lines: string[] = []
    const reader = createInterface(child.stdout!).on('line', (line) => void lines.push(line))
    return { ready: once(reader, 'line'), done: once(child, 'close').then(() => lines) }
  }
  const subscribers = [subscribe('news', 2), subscribe('news', 2), subscribe('sport', 1)]
  await Promise.all(subscribers.map(({ ready }) => ready))
  await run('publish-subscribe/publish.ts', port, 'news', 'one', 'two')
  await run('publish-subscribe/publish.ts', port, 'sport', 'three')
  const texts = (await Promise.all(subscribers.map(({ done }) => done))).map((lines) =>
    lines.slice(1).map((line) => JSON.parse(line)),
  )
  const [one, two, three] = ['one', 'two', 'three'].map((text) => ({ text, missed: 0 }))
  expect(texts).toEqual([[one, two], [one, two], [three]])
  expect(await stop()).toBe(0)
}, 60_000)

it('key-value: values survive a replica that is gone', async () => {
  const replicas = await Promise.all([1, 2, 3].map(() => serve('key-value/replica.ts')))
  const ports = replicas.map(({ port }) => port).join()
  expect(await run('key-value/client.ts', ports, 'put', 'colour', 'blue')).toBe('colour = blue\n')
  expect(await replicas[0]!.stop()).toBe(0)
  expect(await run('key-value/client.ts', ports, 'get', 'colour')).toBe('colour = blue\n')
  expect(await run('key-value/client.ts', ports, 'put', 'colour', 'red')).toBe('colour = red\n')
}, 60_000)
