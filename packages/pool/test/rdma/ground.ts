/** Where suites over real RDMA run, and what their tests have in common. */
import assert from 'node:assert/strict'
import {
  type Connection,
  type ConnectionListener,
  type HostAddress,
  listen,
  type TransportBuilder,
} from '@netts/core'
import { openVerbs } from '@netts/verbs'
import { echo, type Moment, type PeerProgram } from './peer.js'

/** Where the suite runs, and how much of it. */
export interface Ground {
  readonly name: string
  readonly describe: (title: string, body: () => void) => void
  readonly it: (title: string, body: () => Promise<void>) => void
  /** Of the device. */
  readonly host: string
  /** Where nobody answers. */
  readonly silentHost: string
  readonly program: PeerProgram
  readonly isIwarp: boolean
  /** How long connecting over two wires may take: long enough for one to have half of it. */
  readonly timeoutMs: number
  readonly workers: number
  /** Of the handshake: at which a peer dies, and at which it stops. */
  readonly moments: readonly Moment[]
}

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits for a condition that nothing announces; the runner's deadline ends it. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(5)
}

/** Waits until this process has nothing of RDMA open. */
export async function untilNothingIsOpen(): Promise<void> {
  await until(() => Object.values(openVerbs().counts).every((count) => count === 0))
}

export async function serve(builder: TransportBuilder, address: HostAddress): Promise<ConnectionListener> {
  const server = await listen(builder, address)
  const accept = async () => {
    for await (const connection of server) echo(connection).catch(() => {})
  }
  accept().catch(() => {})
  return server
}

export async function end(server: ConnectionListener): Promise<void> {
  await server.close()
  for (const connection of server.connections) connection.destroy()
}

export async function checkAnswers(connection: Connection): Promise<void> {
  await connection.send(Buffer.from('question'))
  assert.equal(String(await connection.recv()), 'question')
}
