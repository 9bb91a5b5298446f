/** What the tests of the command connect it with. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach } from 'vitest'
import { endAll } from './netts-process.js'

/** For what a test file needs. */
export const folder = mkdtempSync(join(tmpdir(), 'netts-cli-'))
afterEach(endAll)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A plain server that sends back what it gets. */
export async function echoServer(): Promise<net.Server> {
  const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

export const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port
