/** The wires under TLS that the suites run over, each as a fixture: TLS is between everything, peers that crash included. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type ConformanceFixture, type PeerTask, runPeerTask } from '@netts/conformance'
import type { Address, TransportBuilder, TransportListener } from '@netts/core'
import { createMockNetwork, type MockBuilderOptions, type MockNetworkOptions } from '@netts/mock'
import { tcp } from '@netts/tcp'
import type { Verbs } from '@netts/verbs'
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { type TlsOptions, tls } from '../src/index.js'
import { Authority } from './certificates.js'

/** The name in the listener's certificate. */
export const SERVER_NAME = 'server.test'

/** Options of both ends that verify each other; made once, as it takes long. */
export function mutualTls(): { readonly client: TlsOptions; readonly server: TlsOptions } {
  const authority = new Authority('netts test authority')
  const ca = authority.cert
  return {
    client: {
      ...authority.issue({ name: 'client' }),
      ca,
      servername: SERVER_NAME,
    },
    server: {
      ...authority.issue({ name: 'server', altNames: `DNS:${SERVER_NAME}` }),
      ca,
      requestCert: true,
      // A program that is busy for some tests does not speed handshakes up.
      handshakeTimeoutMs: 20_000,
    },
  }
}

/** What a peer in a process of its own is told. */
export interface PeerSetting {
  readonly wire: 'tcp' | 'sendrecv' | 'ring'
  readonly task: PeerTask
  readonly options: TlsOptions
}

/** A connection in memory. */
export function mockWire(
  options: Readonly<ReturnType<typeof mutualTls>>,
  network: MockNetworkOptions = {},
  limits: MockBuilderOptions = {},
): ConformanceFixture {
  const mock = createMockNetwork(network)
  const bare = mock.builder(limits)
  return {
    builder: tls(bare, options.client),
    listenBuilder: tls(bare, options.server),
    listenAddress: () => ({ host: '127.0.0.1', port: 0 }),
    silentAddress() {
      for (let attempt = 0; attempt < 2; attempt++) mock.failNext({ connect: 'never' })
      return { host: '192.0.2.1', port: 9 }
    },
    async startCrashablePeer(task) {
      const index = mock.links.length
      const { running, address } = run(tls(bare, optionsOf(task, options)), task)
      return {
        address: await address,
        async crash() {
          await running
          mock.links[index]?.[task.role === 'connect' ? 'client' : 'server'].crash()
        },
      }
    },
  }
}

/** The RDMA drivers over others' verbs. */
export type RdmaDriver = (options: { readonly verbs: Verbs }) => TransportBuilder

/** Two hosts with simulated RDMA devices. */
export function simulatedWire(
  options: Readonly<ReturnType<typeof mutualTls>>,
  driver: RdmaDriver,
  mode: 'roce' | 'iwarp',
): ConformanceFixture {
  const fabric = createSimulatedFabric({ mode, drive: 'auto' })
  const hosts = {
    client: fabric.createHost({ name: 'client' }),
    server: fabric.createHost({ name: 'server' }),
  }
  return {
    builder: tls(driver({ verbs: hosts.client }), options.client),
    listenBuilder: tls(driver({ verbs: hosts.server }), options.server),
    listenAddress: () => ({ host: hosts.server.address, port: 0 }),
    silentAddress() {
      const silent = fabric.createHost({ name: 'silent' })
      silent.powerOff()
      return { host: silent.address, port: 4711 }
    },
    async startCrashablePeer(task) {
      const host = fabric.createHost({ name: 'victim' })
      const own = { ...task, ...(task.role === 'listen' && { address: { host: host.address, port: 0 } }) }
      const { address } = run(tls(driver({ verbs: host }), optionsOf(task, options)), own)
      return { address: await address, crash: () => host.kill() }
    },
  }
}

let silent: Promise<TransportListener> | undefined

/** Where somebody takes connections over TCP, and says nothing: TLS gets no answer. Open for as long as the process. */
export async function silentTcpAddress(): Promise<Address> {
  silent ??= tcp().listen({ host: '127.0.0.1', port: 0 })
  return (await silent).address
}

/** TCP, with peers in processes of their own. */
export function tcpWire(options: Readonly<ReturnType<typeof mutualTls>>): ConformanceFixture {
  return {
    builder: tls(tcp(), options.client),
    listenBuilder: tls(tcp(), options.server),
    listenAddress: () => ({ host: '127.0.0.1', port: 0 }),
    silentAddress: silentTcpAddress,
    startCrashablePeer: (task) => startPeer({ wire: 'tcp', task, options: optionsOf(task, options) }),
  }
}

/** A process that does what the task says, until it is killed. */
export async function startPeer(setting: PeerSetting, env: NodeJS.ProcessEnv = process.env) {
  const child = fork(fileURLToPath(new URL('crashable-peer.program.ts', import.meta.url)), [], {
    execArgv: ['--conditions=@netts/source', '--import', 'tsx'],
    env,
  })
  child.send(setting)
  const address = await new Promise<Address>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Address))
    child.once('exit', (code) => reject(new Error(`the peer ended with ${code} before it was ready`)))
  })
  return { address, crash: () => kill(child) }
}

export function optionsOf(
  { role }: PeerTask,
  { client, server }: Readonly<ReturnType<typeof mutualTls>>,
): TlsOptions {
  return role === 'connect' ? client : server
}

function run(builder: TransportBuilder, task: PeerTask) {
  let listening: (address: Address) => void = () => {}
  const address = new Promise<Address>((resolve) => {
    listening = resolve
  })
  const running = runPeerTask(builder, task, listening)
  if (task.role === 'connect') listening(task.address)
  return { running, address }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}
