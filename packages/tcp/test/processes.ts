/** Other processes that tests need: one that never answers, and peers that are killed. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { CrashablePeer, PeerTask } from '@netts/conformance'
import type { Address, HostAddress } from '@netts/core'

/** Listens with the smallest backlog, says its port, and stops. */
const STOPPED_LISTENER = `
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.stdout.write(String(server.address().port), () => process.kill(process.pid, 'SIGSTOP'))
  })`

/** Where a connection attempt is neither accepted nor refused: the full backlog of a process that is stopped. */
export async function silentAddress(): Promise<{ address: HostAddress; close(): Promise<void> }> {
  const child = spawn(process.execPath, ['-e', STOPPED_LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output] = (await once(child.stdout, 'data')) as [Buffer]
  const address = { host: '127.0.0.1', port: Number(output.toString()) }
  const fillers: Socket[] = []
  const close = async () => {
    for (const socket of fillers) socket.destroy()
    await kill(child)
  }
  // The kernel completes the handshakes of two connections for a backlog of one, then drops what comes.
  for (let count = 0; count < 8; count++) {
    const socket = connect(address)
    fillers.push(socket)
    const isConnected = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), 200)
      socket.once('connect', () => {
        clearTimeout(timer)
        resolve(true)
      })
    })
    if (!isConnected) return { address, close }
  }
  await close()
  throw new Error('the backlog of the stopped process did not fill up')
}

/** A process that does what the task says, until it is killed. */
export async function startCrashablePeer(
  task: PeerTask,
): Promise<CrashablePeer & { close(): Promise<void> }> {
  const child = fork(fileURLToPath(new URL('crashable-peer.ts', import.meta.url)), [], {
    execArgv: ['--conditions=@netts/source', '--import', 'tsx'],
  })
  child.send(task)
  const [address] = (await once(child, 'message')) as [Address]
  return { address, crash: () => kill(child), close: () => kill(child) }
}

/** A process with so few file descriptors that it echoes for some connections, and has none left for others. */
export async function startEchoWithFewFiles(
  files: number,
): Promise<{ address: Address; close(): Promise<void> }> {
  const script = fileURLToPath(new URL('echo-server.ts', import.meta.url))
  const command = `ulimit -n ${files} && exec "$0" --conditions=@netts/source --import tsx "$1"`
  const child = spawn('sh', ['-c', command, process.execPath, script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`the server exited with ${code} before it listened`)
  })
  const [address] = (await Promise.race([once(child, 'message'), exited])) as [Address]
  exited.catch(() => {})
  return { address, close: () => kill(child) }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}
