/** The addon where there is no RDMA: on a device that does nothing, and with sanitizers. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FAULTY, runSanitized, sanitizedIsMissing } from '../lab/sanitized.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const NOOP_DEVICE = here('../../src/build/Release/noop_verbs.node')
const PROGRAM = ['--conditions=@netts/source', '--import', 'tsx', here('../lab/noop-program.ts')]
const libraries = { NETTS_IBVERBS_LIB: NOOP_DEVICE, NETTS_RDMACM_LIB: NOOP_DEVICE }
const EXPECTED = '2000 completed\n'
const TERMINATED = [...PROGRAM.slice(0, -1), here('../lab/noop-terminated-program.ts')]
const EVENTS = [...PROGRAM.slice(0, -1), here('../lab/noop-events-program.ts')]
const TROUBLE = [...PROGRAM.slice(0, -1), here('../lab/noop-trouble-program.ts')]

describe.skipIf(!existsSync(NOOP_DEVICE) && process.env.CI !== 'true')(
  'the addon on a device that does nothing',
  () => {
    it('completes whatever is posted, in batches of any size', () => {
      const env = { ...process.env, ...libraries }
      const { stdout, stderr } = spawnSync(process.execPath, PROGRAM, { env, encoding: 'utf8' })
      expect(stdout, stderr).toBe(EXPECTED)
    })

    it('survives that workers are terminated in the midst of its calls', () => {
      const env = { ...process.env, ...libraries }
      const { stdout, stderr } = spawnSync(process.execPath, TERMINATED, { env, encoding: 'utf8' })
      expect(stdout, stderr).toBe('16 terminated\n')
    })

    it('hands events to the thread whose object they name, and to no other', () => {
      const env = { ...process.env, ...libraries }
      const { stdout, stderr } = spawnSync(process.execPath, EVENTS, { env, encoding: 'utf8' })
      expect(stdout, stderr).toBe('20 heard by whom they concern, 0 by others\n')
    })

    it('reads no completion channel in vain', () => {
      const env = { ...process.env, ...libraries, NETTS_NOOP_REPORT: '1' }
      const { stdout, stderr } = spawnSync(process.execPath, [...TROUBLE, 'channel'], {
        env,
        encoding: 'utf8',
      })
      expect(stdout, stderr).toBe('survived\n10 reads, 0 in vain\n')
    })

    it.each([
      ['what a callback throws holds up no later event', 'callbacks'],
      ['misuse is told by its code', 'misuse'],
      ['a device that goes and comes back can be used', 'removal'],
      ['memory of a device that is gone is given back', 'slabs'],
      ['an unref() has effect with busy polling', 'unref'],
      ['asking for the memlock limit opens no device', 'memlock'],
      ['a thread that cannot be had is an error', 'threads'],
    ])('%s', (_, trouble) => {
      const env = { ...process.env, ...libraries, NETTS_NOOP_TRANSPORT: trouble === 'threads' ? 'iwarp' : '' }
      const { stdout, stderr } = spawnSync(process.execPath, [...TROUBLE, trouble], {
        env,
        encoding: 'utf8',
        timeout: 20_000,
      })
      expect(stdout, stderr).toBe('survived\n')
    })
  },
)

describe.skipIf(sanitizedIsMissing)('the addon with AddressSanitizer and UBSan', () => {
  it('does nothing that they report', () => {
    const { status, stdout, stderr } = runSanitized(PROGRAM, libraries)
    expect(stdout, stderr).toBe(EXPECTED)
    expect(status).toBe(0)
  })

  it.each([
    ['use-after-free', /AddressSanitizer: heap-use-after-free/],
    ['overflow', /runtime error: signed integer overflow/],
  ])('would fail if it did: %s', (fault, report) => {
    const { status, stderr } = runSanitized(PROGRAM, { NETTS_VERBS_ADDON: FAULTY, NETTS_FAULT: fault })
    expect(stderr).toMatch(report)
    expect(status).toBe(1)
  })
})
