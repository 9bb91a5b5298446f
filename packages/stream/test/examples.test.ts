/** The examples with libraries, run as their reader would; what only needs netts is run with the packages' READMEs. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../examples/', import.meta.url))
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

const PRINTS: Record<string, string> = {
  'fastify.mjs': '200 {"hello":"world"}\n',
  'grpc-server.mjs': 'listening true\n',
  'grpc-session-manager.ts': '',
  'undici.mjs': '200 hello\n',
  'websocket.mjs': 'you said hello\n',
}

it('every example has its test', () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(PRINTS).sort())
})

it.each(Object.keys(PRINTS))('%s runs to its end, and is what the README shows', (file) => {
  const { NODE_OPTIONS: _, ...env } = process.env
  const args = ['--conditions=@netts/source', '--import', 'tsx', `${folder}${file}`]
  expect(execFileSync(process.execPath, args, { encoding: 'utf8', env })).toBe(PRINTS[file])
  expect(readme).toContain(readFileSync(`${folder}${file}`, 'utf8'))
})
