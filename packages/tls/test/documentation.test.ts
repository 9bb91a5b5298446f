/** The README's options, commands and examples say what the code does, and run. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CREDENTIAL_NAMES, checkOptions } from '../src/options.js'

const page = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const readme = page('../README.md')

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netts-tls-'))
  const commands = /To try it.*?```sh\n(.*?)```/s.exec(readme)![1]!
  execFileSync('sh', ['-e', '-c', commands], { cwd: folder, stdio: 'pipe' })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(example: string): string {
  const path = fileURLToPath(new URL(`../examples/${example}`, import.meta.url))
  const loader = import.meta.resolve('tsx')
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=@netts/source', '--import', loader, path],
    { cwd: folder, encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout
}

const examples = {
  'echo.mjs': 'hello\n',
  'mutual.mjs': 'ERR_NETTS_TLS ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED\nCN=client TLSv1.3\n',
}
for (const [example, printed] of Object.entries(examples)) {
  it(`${example} is what the README shows, and runs with the certificates that it makes`, () => {
    expect(readme).toContain(page(`../examples/${example}`))
    expect(run(example)).toBe(printed)
  })
}

it('the README lists every option, with its default', () => {
  const section = readme.slice(readme.indexOf('## Options'), readme.indexOf('Options out of range'))
  const rows = new Map(
    [...section.matchAll(/^\| (`.*?`)\s*\| (.*?)\s*\|/gm)].flatMap(([, names, value]) =>
      names!.split(', ').map((name) => [name.replaceAll('`', ''), value!] as const),
    ),
  )
  const { limits, ...config } = checkOptions({})
  const { bufferPool, ...sizes } = limits
  expect(bufferPool.domain).toBeTypeOf('symbol')
  expect([...rows.keys()].sort()).toEqual(
    [...CREDENTIAL_NAMES, ...Object.keys(config), ...Object.keys(sizes), 'bufferPool'].sort(),
  )
  for (const [name, value] of Object.entries({ ...config, ...sizes })) {
    if (value !== undefined) expect(rows.get(name), name).toBe(String(value))
  }
})
