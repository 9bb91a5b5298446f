/**
 * The packages for RDMA where there is neither rdma-core nor a compiler: they install, they import, they say what is
 * missing, and the simulated device works.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BareMachine, npmProgram } from './bare-machine.js'
import { ScratchProject } from './scratch-project.js'
import { pack, publicPackages, withDependencies } from './workspace.js'

const PREBUILT = `prebuilds/${process.platform}-${process.arch}/netts_verbs.node`
const machine = new BareMachine()
const reason = machine.unavailable
const skip = reason !== undefined && process.env.CI !== 'true'
const destination = mkdtempSync(join(tmpdir(), 'netts-tarballs-'))
afterAll(() => {
  machine[Symbol.dispose]()
  rmSync(destination, { recursive: true, force: true })
})

/** Prints what the machine has, what the package says about it, and what the simulated device carried. */
const BODY = `
  const missing = (library) => {
    try { process.dlopen({ exports: {} }, library) } catch (error) { return error.message }
  }
  const run = async () => {
    const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
    const [near, far] = [fabric.createHost(), fabric.createHost()]
    const server = await core.listen(driver.sendRecvOver({ verbs: far }), { host: far.address, port: 0 })
    const client = await core.connect(driver.sendRecvOver({ verbs: near }), server.address)
    const accepted = await server.accept()
    await client.send(Buffer.from('hello'))
    const received = String(await accepted.recv())
    await Promise.all([client.close(), accepted.close(), server.close()])
    const refused = await core.connect(driver.sendRecv(), { host: '10.0.0.1', port: 1 }).catch((error) => error)
    return {
      ibverbs: missing('libibverbs.so.1'),
      rdmacm: missing('librdmacm.so.1'),
      path: process.env.PATH.split(':').flatMap((folder) => readdirSync(folder)),
      availability: verbs.rdmaAvailability(),
      refused: { code: refused.code, message: refused.message },
      received,
    }
  }
  run().then((result) => console.log(JSON.stringify(result)))
`
const MODULES = {
  core: '@netts/core',
  verbs: '@netts/verbs',
  driver: '@netts/rdma-sendrecv',
  '{ createSimulatedFabric }': '@netts/verbs/simulated',
  '{ readdirSync }': 'node:fs',
}
const PROGRAMS = {
  'esm.mjs': Object.entries(MODULES).map(
    ([name, from]) => `import ${name.startsWith('{') ? name : `* as ${name}`} from '${from}'`,
  ),
  'cjs.cjs': Object.entries(MODULES).map(([name, from]) => `const ${name} = require('${from}')`),
}

describe.skipIf(skip)(
  `without rdma-core and without a compiler${skip ? ` (skipped: ${reason})` : ''}`,
  () => {
    const project = new ScratchProject()
    const wanted = ['@netts/core', '@netts/verbs', '@netts/rdma-sendrecv', '@netts/cli']
    let installed = ''

    beforeAll(() => {
      const all = publicPackages()
      const needed = new Set(wanted.flatMap((name) => withDependencies(name, all)))
      const tarballs = new Map([...needed].map((target) => [target.name, pack(target, destination)]))
      project.declare(wanted, tarballs)
      const { status, stderr, stdout } = machine.run(
        'node',
        [npmProgram(), 'install', '--no-audit', '--no-fund', '--foreground-scripts', '--loglevel=error'],
        project.directory,
      )
      expect(status, stderr).toBe(0)
      installed = stdout + stderr
      for (const [file, imports] of Object.entries(PROGRAMS)) {
        project.write(file, `${imports.join('\n')}\n${BODY}`)
      }
    })
    afterAll(() => project[Symbol.dispose]())

    it('installs without building or downloading anything', () => {
      expect(installed).not.toMatch(/node-gyp|gyp ERR|prebuild-install/)
      const folder = join(project.directory, 'node_modules/@netts/verbs')
      const files = readdirSync(folder, { recursive: true }).map(String)
      expect(files).toContain(PREBUILT)
      expect(files.filter((file) => /\.gyp$|\.cc$|^build\//.test(file))).toEqual([])
    })

    it('netts doctor says what is missing, and what to install', () => {
      const program = join(project.directory, 'node_modules/@netts/cli/dist/main.js')
      const { status, stdout } = machine.run('node', [program, 'doctor', '--quiet'], project.directory)
      expect(stdout).toMatch(/^✗ libraries +libibverbs or librdmacm cannot be loaded/m)
      expect(stdout).toMatch(/→ Install rdma-core: on Debian and Ubuntu "apt install/)
      expect(stdout).toMatch(/RDMA does not work here\.\n$/)
      expect(status).toBe(1)
    })

    it('the installed binary asks the linker for nothing of rdma-core', () => {
      const binary = join(project.directory, 'node_modules/@netts/verbs', PREBUILT)
      const symbols = execFileSync('nm', ['--undefined-only', '--dynamic', binary], { encoding: 'utf8' })
      expect(symbols).toContain('napi_')
      expect(symbols.split('\n').filter((line) => / (ibv|rdma)_/.test(line))).toEqual([])
    })

    it.each(Object.keys(PROGRAMS))('%s runs, says what is missing, and has the simulated device', (file) => {
      const { status, stdout, stderr } = machine.run('node', [file], project.directory)
      expect(stderr).toBe('')
      expect(status).toBe(0)
      const result = JSON.parse(stdout)
      expect(result.ibverbs).toMatch(/cannot open shared object file: No such file/)
      expect(result.rdmacm).toMatch(/cannot open shared object file: No such file/)
      expect(result.path).toEqual(['node'])
      expect(result.availability).toMatchObject({ available: false, reason: 'library-missing' })
      expect(result.availability.remedy).toMatch(/Install rdma-core.*apt install/)
      expect(result.refused.code).toBe('ERR_NETTS_UNAVAILABLE')
      expect(result.refused.message).toContain('Install rdma-core')
      expect(result.received).toBe('hello')
    })
  },
)
