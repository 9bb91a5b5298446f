/** Servers in processes of their own, over real TCP. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { HostAddress } from '@netts/core'

const PROGRAM = fileURLToPath(new URL('echo-server.program.ts', import.meta.url))

/** A server that can be killed, and started again at the same address. */
export class EchoServer implements AsyncDisposable {
  address: HostAddress = { host: '127.0.0.1', port: 0 }
  #child: ChildProcess | undefined

  async start(): Promise<void> {
    const child = fork(PROGRAM, [String(this.address.port)], {
      execArgv: ['--conditions=@netts/source', '--import', 'tsx'],
    })
    this.#child = child
    const [address] = (await once(child, 'message')) as [HostAddress]
    this.address = address
  }

  /** At once, as a crash does. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}

/** An address where nobody listens. */
export async function deadAddress(): Promise<HostAddress> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return { host: '127.0.0.1', port }
}
