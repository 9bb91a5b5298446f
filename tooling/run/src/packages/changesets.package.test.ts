/** Versions are independent: releasing one package moves that one, and only what must follow. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { publicPackages, root } from './workspace.js'

let clone: string

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'netts-release-'))
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], {
      cwd: clone,
      stdio: 'pipe',
    })
  // Not the changesets that wait for a release: they would be released too.
  for (const file of ['package.json', 'pnpm-workspace.yaml', '.changeset/config.json']) {
    cpSync(join(root, file), join(clone, file))
  }
  for (const file of execFileSync('git', ['ls-files', '*package.json'], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n')) {
    cpSync(join(root, file), join(clone, file))
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  git('init', '--quiet', '--initial-branch=main')
  git('add', '--all')
  git('commit', '--quiet', '--message=start')
})
afterEach(() => rmSync(clone, { recursive: true, force: true }))

const versions = () =>
  Object.fromEntries(
    publicPackages().map(({ name, directory }) => {
      const file = join(clone, relative(root, directory), 'package.json')
      return [name, (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version]
    }),
  )

function release(name: string, bump: 'patch' | 'minor'): string[] {
  const before = versions()
  writeFileSync(join(clone, '.changeset/one.md'), `---\n'${name}': ${bump}\n---\n\nA change.\n`)
  execFileSync(process.execPath, [join(root, 'node_modules/@changesets/cli/bin.js'), 'version'], {
    cwd: clone,
    stdio: 'pipe',
  })
  const after = versions()
  return Object.keys(after).filter((changed) => after[changed] !== before[changed])
}

/** A package, and those that install it with themselves: before 1.0 they must widen their range for a minor release. */
const withDependents = (released: string): string[] =>
  publicPackages()
    .filter(({ name, dependencies }) => name === released || dependencies.includes(released))
    .map(({ name }) => name)
    .sort()

it('releasing a driver moves that driver, the command that brings it, and nothing else', () => {
  const moved = release('@netts/tcp', 'minor').sort()
  expect(moved).toEqual(withDependents('@netts/tcp'))
  expect(moved).toEqual(['@netts/cli', '@netts/tcp'])
})

it('a patch of core, which every dependent accepts already, moves core alone', () => {
  expect(release('@netts/core', 'patch')).toEqual(['@netts/core'])
})

it('a minor release of core moves core and, before 1.0, those that must widen their range for it', () => {
  expect(release('@netts/core', 'minor').sort()).toEqual(
    expect.arrayContaining(withDependents('@netts/core')),
  )
})
