/**
 * The dry run of a release: everything that the release workflow does, up to the registry. Each step prints what it
 * found; files for the release (tarballs, bills of materials, the report) are left in `results/release`.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Table from 'cli-table3'
import { Command } from 'commander'
import { ScratchProject } from '../packages/scratch-project.js'
import { pack, publicPackages, root, withDependencies } from '../packages/workspace.js'
import { tryInstalled } from './installed.js'
import { MANAGERS } from './managers.js'
import { bundleBytes, folderBytes } from './sizes.js'

const options = new Command('npm run release:check --')
  .description('Does everything that a release does, up to the registry.')
  .option('--only <names>', 'comma-separated names of packages')
  .parse()
  .opts<{ only?: string }>()
const folder = join(root, 'results/release')
const failures: string[] = []

function step(title: string): void {
  console.log(`\n━━ ${title}`)
}

/** Runs a command of the workspace; what it prints is shown. @returns whether it succeeded */
function passes(what: string, command: string, args: readonly string[], cwd = root): boolean {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status === 0) return true
  console.log(`✗ ${what}\n${stdout}${stderr}`)
  failures.push(what)
  return false
}

const bin = (name: string) => join(root, 'node_modules/.bin', name)
const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`

const all = publicPackages()
const names = options.only?.split(',') ?? all.map(({ name }) => name)
const selected = all.filter(({ name }) => names.includes(name))
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

step('versions that the waiting changesets make')
// Compares nothing with the main branch: what waits is what the version pull request would hold.
console.log(
  execFileSync(process.execPath, ['--input-type=module', '-e', PLAN()], {
    cwd: root,
    encoding: 'utf8',
  }).trimEnd(),
)

/** A program that prints the release plan, by the library that `changeset version` itself uses. */
function PLAN(): string {
  return `
    import { createRequire } from 'node:module'
    const of = createRequire(createRequire(import.meta.url).resolve('@changesets/cli/package.json'))
    const { default: plan } = of('@changesets/get-release-plan')
    const { releases } = await plan(process.cwd())
    for (const { name, type, oldVersion, newVersion } of releases)
      if (type !== 'none') console.log(name.padEnd(24), oldVersion, '→', newVersion, '(' + type + ')')
  `
}

step('tarballs')
const tarballs = new Map(all.map((target) => [target.name, pack(target, folder)]))
const rows = new Map(selected.map(({ name }) => [name, [name] as string[]]))
for (const { name } of selected) {
  using unpacked = new ScratchProject()
  execFileSync('tar', ['-xzf', tarballs.get(name)!, '-C', unpacked.directory])
  const inside = join(unpacked.directory, 'package')
  rows.get(name)!.push(kib(statSync(tarballs.get(name)!).size), kib(folderBytes(inside)))
  const publint = passes(`publint ${name}`, bin('publint'), ['--strict', tarballs.get(name)!])
  const attw = passes(`attw ${name}`, bin('attw'), [tarballs.get(name)!])
  console.log(`${publint && attw ? '✓' : '✗'} ${name}: publint, attw`)
  if (name !== '@netts/verbs') continue
  const check = spawnSync(
    process.execPath,
    [join(root, 'native/scripts/check-prebuilds.mjs'), join(inside, 'prebuilds')],
    {
      encoding: 'utf8',
    },
  )
  console.log((check.stdout + check.stderr).trimEnd().replaceAll(/^/gm, '  '))
  if (check.status !== 0) failures.push('the addons of @netts/verbs')
}

step('each package alone, under npm, pnpm and Yarn')
for (const target of selected) {
  const counts: string[] = []
  for (const manager of MANAGERS) {
    const { examples, failures: wrong } = tryInstalled(target, manager, all, tarballs)
    for (const sentence of wrong) {
      console.log(`✗ ${target.name} under ${manager.name}: ${sentence}`)
      failures.push(`${target.name} under ${manager.name}`)
    }
    counts.push(
      `${manager.name} ${wrong.length === 0 ? '✓' : '✗'} (${examples} of the README's programs ran)`,
    )
  }
  console.log(`${target.name}: ${counts.join(', ')}`)
}

step('bills of materials')
for (const target of selected) {
  using project = new ScratchProject()
  const needed = withDependencies(target.name, all)
  project.install([target.name], new Map(needed.map(({ name }) => [name, tarballs.get(name)!])))
  const { minified, compressed } = await bundleBytes(project, target.name)
  const installed = folderBytes(join(project.directory, 'node_modules'))
  rows.get(target.name)!.push(kib(installed), kib(minified), kib(compressed))
  const files = ['cyclonedx', 'spdx'].map((format) => {
    const bill = execFileSync('npm', ['sbom', `--sbom-format=${format}`, '--sbom-type=library'], {
      cwd: project.directory,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    })
    const file = `${target.name.replace('@', '').replace('/', '-')}.${format}.json`
    writeFileSync(join(folder, file), withoutPaths(bill))
    const { components, packages } = JSON.parse(bill) as { components?: object[]; packages?: object[] }
    return `${file} (${(components ?? packages ?? []).length})`
  })
  console.log(`${target.name}: ${files.join(', ')}`)
}

/** npm writes where it took the tarballs from, a path of this machine: their names as packages stand in its place. */
function withoutPaths(bill: string): string {
  let text = bill
  for (const [name, tarball] of tarballs) {
    const version = /-(\d+\.\d+\.\d+.*)\.tgz$/.exec(tarball)?.[1]
    text = text.replaceAll(`file:${tarball}`, `pkg:npm/${name.replace('@', '%40')}@${version}`)
  }
  if (text.includes(folder)) failures.push('a bill of materials has a path of this machine')
  return text
}

step('publishing, up to the registry')
const publish = ['tooling/run/publish.mjs', folder, '--dry-run']
const published = spawnSync(process.execPath, publish, { cwd: root, encoding: 'utf8' })
console.log((published.stdout + published.stderr).trimEnd())
if (published.status !== 0) failures.push('publishing')

step('sizes')
const table = new Table({
  head: ['package', 'tarball', 'unpacked', 'installed with npm', 'in a bundle', 'gzipped'],
  colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
  style: { head: [], border: [] },
})
table.push(...rows.values())
console.log(table.toString())

console.log(`\nTarballs and bills of materials are in ${folder}`)
console.log(
  failures.length === 0 ? 'Everything is ready to be released.' : `Not ready: ${failures.join('; ')}`,
)
process.exitCode = failures.length === 0 ? 0 : 1
