/** What the README says is true, and its first example runs over TCP and over the mock. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { POOL_CHANNELS } from './events.js'
import { checkPoolOptions, type PoolSettings } from './options.js'

const folder = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const section = (from: string, to: string) => readme.slice(readme.indexOf(from), readme.indexOf(to))
const cells = (text: string) =>
  [...text.matchAll(/^\| `([\w:-]+)`\s*\| (.*?)\s*\|/gm)].map(([, name, value]) => [name!, value!] as const)

describe('the README', () => {
  it('lists every option, with its default', () => {
    const documented = new Map(cells(section('## Options', 'An option out of range')))
    const source = readFileSync(new URL('options.ts', import.meta.url), 'utf8')
    const declared = source.slice(source.indexOf('interface PoolOptions'), source.indexOf('const DEFAULTS'))
    const names = [...declared.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name!)
    expect([...documented.keys()].sort()).toEqual(names.sort())
    const builder = { name: 'x', connect: () => {}, listen: () => {} } as never
    const settings = checkPoolOptions({ builder, endpoints: [{ path: 'x' }] })
    for (const [name, value] of documented) {
      if (!/^\d/.test(value)) continue
      const actual = settings[name as keyof PoolSettings<never, never>]
      expect([name, actual === Number.POSITIVE_INFINITY ? 0 : actual]).toEqual([name, Number(value)])
    }
    const { share, breaker, callersPerConnection } = checkPoolOptions({
      builder,
      endpoints: [{ path: 'x' }],
      mode: 'share',
    })
    expect([share, breaker, callersPerConnection]).toEqual([
      { target: 16, growAfterMs: 100, maxInFlight: 0 },
      { failures: 5, openMs: 5000, maxOpenMs: 300_000 },
      Number.POSITIVE_INFINITY,
    ])
  })

  it('lists every event and channel', () => {
    const text = section('## Looking in', '## Licence')
    const source = readFileSync(new URL('events.ts', import.meta.url), 'utf8')
    const types = [...source.matchAll(/readonly type: '([\w-]+)'/g)].map(([, type]) => type!)
    const documented = cells(text).map(([name]) => name)
    expect(documented.sort()).toEqual([...types, ...Object.values(POOL_CHANNELS)].sort())
  })
})

const overTcp = /```js\n([\s\S]*?)```/.exec(readme)![1]!
const overMock = overTcp.replace(
  "import { tcp } from '@netts/tcp'",
  "import { createMockNetwork } from '@netts/mock'\nconst network = createMockNetwork()\nconst tcp = () => network.builder()",
)

/** @returns what the program printed, once it ended by itself */
function run(program: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ['--conditions=@netts/source', '--import', 'tsx', '--input-type=module', '--eval', program]
    const { NODE_OPTIONS: _, ...env } = process.env
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // One that does not end by itself is ended before the test is given up.
      timeout: 20_000,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        output += data.toString()
      })
    }
    child.on('error', reject)
    child.on('close', (status) => (status === 0 ? resolve(output) : reject(new Error(output))))
  })
}

describe('the client of a replicated service', () => {
  it.each([
    ['TCP', overTcp],
    ['the mock', overMock],
  ])('survives the loss of a replica over %s', async (_wire, program) => {
    const output = await run(program)
    expect(output).toMatch(/^why\? 42\n100\n\[ '0 \w+', '\d+ closed', '\d+ closed' \]\n$/)
  })

  it('is not the same program twice', () => {
    expect(overMock).not.toBe(overTcp)
  })
})
