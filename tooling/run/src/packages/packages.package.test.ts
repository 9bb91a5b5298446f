/** Every package as a user meets it: packed, installed alone into an empty project, imported in each way. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readmeExamples } from './readme.js'
import { ScratchProject } from './scratch-project.js'
import { pack, publicPackages, root, withDependencies } from './workspace.js'

const all = publicPackages()
const tarballs = new Map<string, string>()
const destination = mkdtempSync(join(tmpdir(), 'netts-tarballs-'))

beforeAll(() => {
  for (const target of all) tarballs.set(target.name, pack(target, destination))
})
afterAll(() => rmSync(destination, { recursive: true, force: true }))

/** The tarballs that a package needs, its own included. */
const tarballsFor = (name: string) =>
  new Map(withDependencies(name, all).map((target) => [target.name, tarballs.get(target.name)!]))

/** Runs a program of the workspace's own dependencies. */
const runBin = (name: string, ...args: string[]) =>
  execFileSync(join(root, 'node_modules/.bin', name), args, { cwd: root, stdio: 'pipe' })

describe.each(all)('$name', (target) => {
  it('is packed with everything its manifest promises, types for ESM and CJS included', () => {
    runBin('publint', '--strict', tarballs.get(target.name)!)
    runBin('attw', tarballs.get(target.name)!)
  })

  it('has no install script and no tests in its tarball', () => {
    using project = new ScratchProject()
    execFileSync('tar', ['-xzf', tarballs.get(target.name)!, '-C', project.directory])
    const manifest = JSON.parse(readFileSync(join(project.directory, 'package/package.json'), 'utf8'))
    for (const script of ['preinstall', 'install', 'postinstall']) {
      expect(manifest.scripts?.[script]).toBeUndefined()
    }
    const files = readdirSync(join(project.directory, 'package'), { recursive: true }).map(String)
    expect(files.filter((file) => /\.test\./.test(file))).toEqual([])
    expect(files).toContain('README.md')
  })

  it('has declarations that bring the types of Node.js and nothing internal', () => {
    using project = new ScratchProject()
    execFileSync('tar', ['-xzf', tarballs.get(target.name)!, '-C', project.directory])
    const folder = join(project.directory, 'package')
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    expect(manifest.dependencies).toHaveProperty(['@types/node'])
    const declarations = readdirSync(join(folder, 'dist')).filter((file) => /\.d\.c?ts$/.test(file))
    expect(declarations.length).toBeGreaterThanOrEqual(2 * target.entryPoints.length)
    for (const file of declarations) {
      const text = readFileSync(join(folder, 'dist', file), 'utf8')
      expect(text, file).toMatch(/^\/\/\/ <reference types="node" \/>\n/)
      expect(text, file).not.toContain('@internal')
    }
  })

  it('works from ESM, CommonJS and TypeScript when it is installed alone', () => {
    using project = new ScratchProject()
    project.install([target.name], tarballsFor(target.name))
    const list = JSON.stringify(target.entryPoints)
    project.write(
      'esm.mjs',
      `for (const entry of ${list}) console.log(entry, Object.keys(await import(entry)).sort().join())`,
    )
    project.write(
      'cjs.cjs',
      `for (const entry of ${list}) console.log(entry, Object.keys(require(entry)).filter((name) => name !== 'default').sort().join())`,
    )
    const imports = target.entryPoints.map((entry, index) => `import * as entry${index} from '${entry}'`)
    const uses = target.entryPoints.map((_, index) => `entry${index}`)
    const source = `${imports.join('\n')}\nexport const used: object[] = [${uses.join(', ')}]\n`
    project.write('esm.mts', source)
    project.write('cjs.cts', source)

    const esm = project.run('esm.mjs')
    const cjs = project.run('cjs.cjs')
    expect(esm).toMatchObject({ status: 0, stderr: '' })
    expect(cjs).toMatchObject({ status: 0, stderr: '' })
    expect(cjs.stdout).toBe(esm.stdout)
    expect(project.typeCheck('esm.mts', 'cjs.cts')).toMatchObject({ status: 0, stdout: '' })

    const files = readdirSync(join(project.directory, 'node_modules'), { recursive: true }).map(String)
    const native = files.filter((file) => /\.node$|binding\.gyp$/.test(file))
    const bringsVerbs = tarballsFor(target.name).has('@netts/verbs')
    // What a compiler would be needed for never comes; the prebuilt binary comes with verbs alone.
    expect(native.every((file) => bringsVerbs && file.endsWith('.node'))).toBe(true)
  })
})

const sitePages = join(root, 'tooling/site/pages')
const readmes = [
  join(root, 'README.md'),
  ...all.map(({ directory }) => join(directory, 'README.md')),
  ...readdirSync(sitePages)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(sitePages, name)),
]
  .filter((file) => existsSync(file))
  .flatMap((file) => readmeExamples(file).map((example) => ({ ...example, file })))
  .map((example) => ({ ...example, name: `${example.file.slice(root.length)}:${example.line}` }))

describe('README examples', () => {
  const project = new ScratchProject()
  beforeAll(() =>
    project.install(
      all.map(({ name }) => name),
      tarballs,
    ),
  )
  afterAll(() => project[Symbol.dispose]())

  it.each(readmes.filter(({ language }) => language === 'js'))('$name runs to its end', ({ code, line }) => {
    project.write(`example-${line}.mjs`, code)
    const { status, stderr } = project.run(`example-${line}.mjs`)
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  it.each(readmes.filter(({ language }) => language === 'ts'))('$name type-checks', ({ code, line }) => {
    project.write(`example-${line}.mts`, `${code}\nexport {}\n`)
    expect(project.typeCheck(`example-${line}.mts`)).toMatchObject({ status: 0, stdout: '' })
  })
})
