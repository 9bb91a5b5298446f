/** curl, which knows nothing of netts, fetches from an unmodified `node:http` server over `tcp()`. */
import { spawn, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Address, isPathAddress } from '@netts/core'
import { tcp } from '@netts/tcp'
import { describe, expect, it } from 'vitest'
import { serve } from '../src/index.js'

// In CI there has to be one.
const hasCurl = process.env.CI === 'true' || spawnSync('curl', ['--version']).status === 0

/** @returns what it printed; rejects when it fails */
async function curl(...options: string[]): Promise<string> {
  const child = spawn('curl', ['--silent', '--show-error', '--fail', '--max-time', '20', ...options])
  const status = new Promise((resolve) => child.once('close', resolve))
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)])
  expect(await status, complaint).toBe(0)
  return output
}

describe.skipIf(!hasCurl)(`curl${hasCurl ? '' : ' (skipped: it is not installed)'}`, () => {
  const path = join(tmpdir(), `netts-curl-${process.pid}.sock`)
  it.each<[string, Address]>([
    ['a port', { host: '127.0.0.1', port: 0 }],
    ['a Unix domain socket', { path }],
  ])('fetches, keeps its connection, and sends a body, at %s', async (_, address) => {
    const large = 'x'.repeat(2_000_000)
    let connections = 0
    const application = http.createServer(async (request, response) => {
      if (request.method === 'POST') response.end(`${(await text(request)).length} bytes`)
      else response.end(request.url === '/large' ? large : 'small')
    })
    application.on('connection', () => connections++)
    const listener = await serve(application, tcp(), address)
    const at = listener.listeningAddress!
    const to = isPathAddress(at) ? ['--unix-socket', at.path] : []
    const url = isPathAddress(at) ? 'http://localhost' : `http://${at.host}:${at.port}`
    expect(await curl(...to, `${url}/small`, `${url}/large`)).toBe(`small${large}`)
    expect(connections).toBe(1)
    expect(await curl(...to, '--data', 'y'.repeat(100_000), url)).toBe('100000 bytes')
    application.closeAllConnections()
    await new Promise<void>((resolve) => listener.close(() => resolve()))
    rmSync(path, { force: true })
  })
})
