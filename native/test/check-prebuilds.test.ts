/** A package is not published when one of its addons is missing, or asks for what a user's machine may lack. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loopbackEnvironment } from '@netts/loopback'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { addonFile } from '../lib/addon/addon-file.js'

const PROGRAM = fileURLToPath(new URL('../scripts/check-prebuilds.mjs', import.meta.url))
const TARGETS = ['linux-x64', 'linux-x64-musl', 'linux-arm64', 'linux-arm64-musl']
const addon = addonFile()
const library = loopbackEnvironment().NETTS_IBVERBS_LIB!

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netts-prebuilds-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Puts a file in the place of each target's addon, and checks the folder. @returns what is wrong, by target */
function check(file: string): Map<string, string[]> {
  for (const target of TARGETS) {
    const path = join(folder, target, 'netts_verbs.node')
    mkdirSync(dirname(path), { recursive: true })
    copyFileSync(file, path)
  }
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, folder], { encoding: 'utf8' })
  expect(status, stderr).toBe(1)
  const lines = [...stderr.matchAll(/^✗ ([\w-]+): (.*)$/gm)]
  return new Map(
    TARGETS.map((name) => [name, lines.filter((line) => line[1] === name).map((line) => line[2]!)]),
  )
}

it('names every addon that is missing, and the command that builds it', () => {
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, folder], { encoding: 'utf8' })
  expect(status).toBe(1)
  for (const target of TARGETS) {
    expect(stderr).toContain(`✗ ${target}: ${join(folder, target)}/netts_verbs.node is missing`)
  }
  expect(stderr).toContain('run build:prebuilds')
})

it.skipIf(addon === undefined || process.arch !== 'x64')(
  'refuses an addon that was built for another machine',
  () => {
    const wrong = check(addon!)
    expect(wrong.get('linux-x64-musl')).toContain('it is built for glibc')
    expect(wrong.get('linux-x64-musl')!.join()).not.toContain('unloaded')
    expect(wrong.get('linux-arm64')).toContainEqual(
      expect.stringMatching(/^it is for .*X86-64, not for AArch64$/),
    )
  },
)

it.skipIf(!existsSync(library))('refuses a library that is no addon', () => {
  const wrong = check(library)
  expect(wrong.get('linux-x64')).toContain('it is no addon: it calls nothing of Node-API')
  expect(wrong.get('linux-x64')).toContain('it needs the library libstdc++.so.6')
  expect(wrong.get('linux-x64')!.join()).toContain('it may be unloaded while libuv still calls it')
  expect(wrong.get('linux-x64')).toContainEqual(
    expect.stringMatching(/^it needs glibc 2\.\d+, and may need 2\.28/),
  )
  expect(wrong.get('linux-x64')).toContainEqual(
    expect.stringMatching(/^it does not export napi_register_module_v1/),
  )
  expect(wrong.get('linux-x64')).toContainEqual(expect.stringMatching(/^it exports \d+ symbols too many/))
})
