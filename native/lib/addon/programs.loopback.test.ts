/** The addon on the loopback device, in processes of their own: what may end them, and with sanitizers. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loopbackEnvironment, loopbackIsMissing, loopbackTitle } from '@netts/loopback'
import { afterAll, describe, expect, it } from 'vitest'
import { FAULTY, runSanitized, withoutSanitizers } from '../../test/lab/sanitized.js'

/** Arguments of Node.js that run a program beside the suites. */
const program = (name: string) => [
  '--conditions=@netts/source',
  '--import',
  'tsx',
  fileURLToPath(new URL(`../../test/lab/${name}.program.ts`, import.meta.url)),
]

const folder = mkdtempSync(join(tmpdir(), 'netts-loopback-'))
let runs = 0

function run(name: string, argument = '', iwarp = false) {
  const ofRun = join(folder, `${runs++}`)
  const settings = { controlPath: `${ofRun}-control`, countersPath: `${ofRun}-counters` }
  const env = { ...process.env, ...loopbackEnvironment({ ...settings, callsItselfIwarp: iwarp }) }
  return spawnSync(process.execPath, [...program(name), argument], { env, encoding: 'utf8', timeout: 20_000 })
}

describe.skipIf(loopbackIsMissing())(loopbackTitle('the addon on the loopback device'), () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('survives that workers are terminated in the midst of its calls', () => {
    const { stdout, stderr } = run('terminated-workers')
    expect(stdout, stderr).toBe('16 terminated\n')
  })

  it.each(['threads', 'processes'])('connects two %s', (where) => {
    const { stdout, stderr } = run('two-ends', where)
    expect(stdout, stderr).toBe('40 answered\n')
  })

  it('hands events to the thread whose object they name, and to no other', () => {
    const { stdout, stderr } = run('thread-events')
    expect(stdout, stderr).toBe('20 heard by whom they concern, 0 by others\n')
  })

  it.each([
    ['what a callback throws holds up no later event', 'callbacks'],
    ['misuse is told by its code', 'misuse'],
    ['no completion channel is read in vain', 'channel'],
    ['a device that goes and comes back can be used', 'removal'],
    ['memory of a device that is gone is given back', 'slabs'],
    ['an unref() has effect with busy polling', 'unref'],
    ['asking for the memlock limit opens no device', 'memlock'],
    ['a thread that cannot be had is an error', 'threads'],
  ])('%s', (_, trouble) => {
    const { stdout, stderr } = run('trouble', trouble, trouble === 'threads')
    expect(stdout, stderr).toBe('survived\n')
  })
})

const withoutThem = withoutSanitizers(loopbackIsMissing('sanitized'))
describe.skipIf(withoutThem !== '')(
  `the addon and the loopback device with AddressSanitizer and UBSan${withoutThem}`,
  () => {
    const libraries = loopbackEnvironment({ build: 'sanitized' })
    const suites = program('loopback-suites')

    it('do nothing that they report, in the device suite and the endpoint suite', () => {
      const { status, signal, stdout, stderr } = runSanitized(['--test-reporter=spec', ...suites], libraries)
      expect(status, `${signal ?? status}\n${stdout}\n${stderr}`).toBe(0)
      expect(stderr).not.toMatch(/AddressSanitizer|runtime error/)
      expect(Number(/^ℹ pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(100)
    }, 120_000)

    it.each([
      ['use-after-free', /AddressSanitizer: heap-use-after-free/],
      ['overflow', /runtime error: signed integer overflow/],
    ])('would fail if they did: %s', (fault, report) => {
      const { status, stderr } = runSanitized(program('loopback-suites'), {
        ...libraries,
        NETTS_VERBS_ADDON: FAULTY,
        NETTS_FAULT: fault,
      })
      expect(stderr).toMatch(report)
      expect(status).toBe(1)
    })
  },
)
