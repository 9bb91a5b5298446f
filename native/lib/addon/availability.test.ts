/** What `rdmaAvailability()` says on machines that lack something; each in a process of its own. */
import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { RdmaAvailability } from '../verbs/availability.js'
import { addonFile } from './addon-file.js'
import { rdmaAvailability } from './availability.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const addon = addonFile()
const built = addon !== undefined
const unless = built ? '' : ' (skipped: the addon was not built)'

/** Asks in a fresh process, whose libraries are not loaded yet. */
function askWith(environment: NodeJS.ProcessEnv, then = 'undefined'): RdmaAvailability {
  const program = `import { rdmaAvailability, openVerbs } from ${JSON.stringify(here('../index.ts'))}
    console.log(JSON.stringify(rdmaAvailability())); ${then}`
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=@netts/source', '--import', 'tsx', '--input-type=module', '-e', program],
    { env: { ...process.env, ...environment }, encoding: 'utf8' },
  )
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout) as RdmaAvailability
}

describe('rdmaAvailability', () => {
  it('refuses options that make no sense', () => {
    expect(() => rdmaAvailability({ requiredBytes: -1 })).toThrowError(
      expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' }),
    )
  })

  it('is about Linux only', () => {
    const platform = Object.getOwnPropertyDescriptor(process, 'platform')!
    Object.defineProperty(process, 'platform', { ...platform, value: 'darwin' })
    try {
      expect(rdmaAvailability()).toMatchObject({ available: false, reason: 'not-linux' })
    } finally {
      Object.defineProperty(process, 'platform', platform)
    }
  })

  it.each(['bun', 'deno'])('says that %s is not Node.js', (name) => {
    Object.defineProperty(process.versions, name, { value: '1.2.3', configurable: true })
    try {
      expect(rdmaAvailability()).toMatchObject({ available: false, reason: 'runtime-unsupported' })
    } finally {
      delete process.versions[name]
    }
  })

  it('says where it looked for the addon, and what to do when a bundler left it behind', () => {
    const found = askWith({ NETTS_VERBS_ADDON: '/nowhere/netts_verbs.node' })
    expect(found).toMatchObject({ available: false, reason: 'addon-missing' })
    expect(found).toMatchObject({ message: expect.stringContaining('/nowhere/netts_verbs.node') })
    expect(found).toMatchObject({ remedy: expect.stringContaining('copy its folder "prebuilds"') })
  })

  it.skipIf(!built)(`names the library that is missing, and the packages to install${unless}`, () => {
    for (const variable of ['NETTS_IBVERBS_LIB', 'NETTS_RDMACM_LIB']) {
      const found = askWith({ [variable]: '/nowhere/libmissing.so' })
      expect(found).toMatchObject({ available: false, reason: 'library-missing' })
      expect(found).toMatchObject({ message: expect.stringContaining('/nowhere/libmissing.so') })
      expect(found).toMatchObject({ remedy: expect.stringContaining('ibverbs-providers') })
    }
  })

  it.skipIf(!built)(`a library without the functions is no better than none${unless}`, () => {
    const found = askWith({ NETTS_IBVERBS_LIB: 'libc.so.6' })
    expect(found).toMatchObject({ available: false, reason: 'library-missing' })
    expect(found).toMatchObject({ message: expect.stringContaining('ibv_get_device_list') })
  })

  it.skipIf(!built)(`opening verbs where they are not there throws what availability says${unless}`, () => {
    askWith(
      { NETTS_IBVERBS_LIB: '/nowhere/libmissing.so' },
      `try { openVerbs(); process.exit(3) } catch (error) { if (error.code !== 'ERR_NETTS_UNAVAILABLE') throw error }`,
    )
  })
})

describe.skipIf(!built)(`the binary${unless}`, () => {
  it('depends on no symbol of libibverbs or librdmacm', () => {
    const symbols = execFileSync('nm', ['--undefined-only', '--dynamic', addon!], { encoding: 'utf8' })
    expect(symbols).toContain('napi_')
    expect(symbols.split('\n').filter((line) => / (ibv|rdma)_/.test(line))).toEqual([])
  })

  it('links neither library', () => {
    const headers = execFileSync('objdump', ['-p', addon!], { encoding: 'utf8' })
    expect(headers).toContain('NEEDED')
    expect(headers).not.toMatch(/NEEDED\s+lib(ibverbs|rdmacm)/)
  })

  it('runs with the C and C++ libraries of RHEL 9, Debian 12 and Ubuntu 22.04', () => {
    const versions = execFileSync('objdump', ['-T', addon!], { encoding: 'utf8' })
    const newest = (name: string) =>
      Math.max(
        ...[...versions.matchAll(new RegExp(`\\(${name}_[0-9]+\\.([0-9.]+)\\)`, 'g'))].map((m) =>
          Number(m[1]),
        ),
      )
    expect(newest('GLIBC')).toBeLessThanOrEqual(34)
    expect(newest('GLIBCXX')).toBeLessThanOrEqual(4.29)
  })
})
