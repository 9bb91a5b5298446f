/**
 * Servers over RDMA in processes of their own, to be killed, stopped and continued: what such a process does, and how a
 * test starts one.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type Connection, type HostAddress, listen, preferring, type TransportBuilder } from '@netts/core'
import { ring } from '@netts/rdma-ring'
import { sendRecv } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { openVerbs } from '@netts/verbs'
import { type Endpoint, type EndpointSession, listenEndpoints } from '@netts/verbs/endpoint'

/** Every wire, by its driver's name. */
export const WIRES: Readonly<Record<string, () => TransportBuilder>> = {
  'rdma-ring': () => ring(),
  'rdma-sendrecv': () => sendRecv(),
  tcp: () => tcp(),
}

/** The moments of an acceptor's handshake, in their order. */
export const MOMENTS = ['openSession', 'onHello', 'hello', 'onReady', 'ready'] as const
export type Moment = (typeof MOMENTS)[number]

/** What a peer does: echoes over some wires; or ends or stops itself at a moment of its first handshake. */
export type PeerTask =
  | { readonly role: 'echo'; readonly wires: readonly string[]; readonly address: HostAddress }
  | {
      readonly role: 'fault'
      readonly address: HostAddress
      readonly moment: Moment
      readonly signal: 'SIGKILL' | 'SIGSTOP'
    }

const TASK = 'NETTS_POOL_PEER'

/** Does what its environment says, if that makes it a peer. @returns whether it does */
export async function runPeer(): Promise<boolean> {
  const given = process.env[TASK]
  if (given === undefined) return false
  const task = JSON.parse(given) as PeerTask
  process.on('disconnect', () => process.exit())
  // A question of the test's: what is open here.
  process.on('message', () => process.send?.(openVerbs().counts))
  if (task.role === 'fault') {
    process.send?.(listenFaulty(task).address)
    return true
  }
  const server = await listen(preferring(...task.wires.map((wire) => WIRES[wire]!())), task.address)
  process.send?.(server.address)
  const accept = async () => {
    for await (const connection of server) echo(connection).catch(() => {})
  }
  accept().catch((error: unknown) => {
    throw error
  })
  return true
}

/** Answers each message with the same. */
export async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message)
}

/** Listens as the sendrecv driver does, and ends or stops this process at a moment of the first handshake. */
function listenFaulty({ address, moment, signal }: Extract<PeerTask, { role: 'fault' }>) {
  let isDue = true
  const at = (reached: Moment) => {
    if (reached !== moment || !isDue) return
    isDue = false
    process.kill(process.pid, signal)
  }
  return listenEndpoints(openVerbs(), address, {
    endpoint: {
      identity: { driver: 1, version: 1 },
      polling: { polling: 'event', adaptiveMicroseconds: 0, spinMicroseconds: 0 },
      maxSendWorkRequests: 4,
      maxReceiveWorkRequests: 4,
      maxSendEntries: 1,
      maxReceiveEntries: 1,
      maxInlineBytes: 0,
      maxReads: 1,
      keepAliveIntervalMs: 1000,
      keepAliveTimeoutMs: 3000,
      openSession: (endpoint) => {
        at('openSession')
        return new FaultySession(endpoint, at)
      },
    },
    backlog: 10,
    hasRoom: () => true,
    onEndpoint: (endpoint) => endpoint.close(),
    onFailure: () => {},
  })
}

/** Says of itself what its peer says. */
class FaultySession implements EndpointSession {
  readonly #at: (moment: Moment) => void
  #hello = new Uint8Array(0)
  #ready = new Uint8Array(0)

  constructor(_endpoint: Endpoint, at: (moment: Moment) => void) {
    this.#at = at
  }

  onHello(body: Uint8Array): void {
    this.#at('onHello')
    this.#hello = Uint8Array.from(body)
  }
  hello(): Uint8Array {
    this.#at('hello')
    return this.#hello
  }
  onReady(body: Uint8Array): void {
    this.#at('onReady')
    this.#ready = Uint8Array.from(body)
  }
  ready(): Uint8Array {
    this.#at('ready')
    return this.#ready
  }
  onOpen(): void {}
  onCompletion(): void {}
  onBatchEnd(): void {}
  onEnd(): void {}
  onDrained(): void {}
  onClosed(): void {}
}

/** How a process becomes a peer: a program that calls {@link runPeer}, and what it needs to run. */
export interface PeerProgram {
  readonly path: string
  readonly execArgv?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** A peer, as its test sees it. */
export class Peer implements AsyncDisposable {
  readonly address: HostAddress
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, address: HostAddress) {
    this.#child = child
    this.address = address
  }

  static async start({ path, execArgv, env }: PeerProgram, task: PeerTask): Promise<Peer> {
    const child = fork(path, [], {
      ...(execArgv && { execArgv: [...execArgv] }),
      env: { ...process.env, ...env, [TASK]: JSON.stringify(task), NODE_TEST_CONTEXT: '' },
    })
    const address = await new Promise<HostAddress>((resolve, reject) => {
      child.once('message', (message) => resolve(message as HostAddress))
      child.once('exit', () => reject(new Error('the peer ended')))
    })
    return new Peer(child, address)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** What is open there. */
  async counts(): Promise<Record<string, number>> {
    const answered = once(this.#child, 'message')
    this.#child.send('counts')
    const [counts] = (await answered) as [Record<string, number>]
    return counts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}
