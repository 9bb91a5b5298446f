/** Two connected sockets on a ground, and what tests note of them. */
import { once } from 'node:events'
import type { AnyServer, AnySocket, Ground, SocketOptions } from './ground.js'

/** How the two sides are made. */
export interface PairOptions {
  readonly client?: SocketOptions
  readonly server?: SocketOptions
}

/** Two ends of a connection. */
export interface Pair {
  readonly client: AnySocket
  readonly server: AnySocket
  readonly listener: AnyServer
}

/** Runs a test on two connected sockets, and closes whatever it leaves. */
export async function withPair(
  ground: Ground,
  options: PairOptions,
  test: (pair: Pair) => Promise<void>,
): Promise<void> {
  const listener = await ground.listen(options.server ?? {})
  const accepted = new Promise<AnySocket>((resolve) => listener.on('connection', resolve))
  const client = ground.connect(listener, options.client ?? {})
  const [server] = await Promise.all([accepted, once(client, 'connect')])
  // Tests note errors by themselves; none is uncaught.
  for (const socket of [client, server]) socket.on('error', () => {})
  try {
    await test({ client, server, listener })
  } finally {
    await closeAll(listener, client, server)
  }
}

/** Destroys what is not closed, and waits until the server is. */
export async function closeAll(listener: AnyServer, ...sockets: AnySocket[]): Promise<void> {
  for (const socket of sockets) {
    socket.on('error', () => {})
    socket.destroy()
  }
  await new Promise<void>((resolve) => listener.close(() => resolve()))
}

/** The events of a socket, in order, as `name` or `name(argument)`. `data` is noted once for several in a row. */
export function eventsOf(socket: AnySocket): string[] {
  const events: string[] = []
  const note = (event: string) => {
    if (event !== 'data' || events.at(-1) !== 'data') events.push(event)
  }
  for (const name of ['connect', 'ready', 'end', 'finish', 'timeout', 'drain']) {
    socket.on(name, () => note(name))
  }
  socket.on('error', () => note('error'))
  socket.on('close', (hadError: boolean) => note(`close(${hadError})`))
  return events
}

/** Waits for `close`, with an error before it or not. @returns its argument */
export function closeOf(socket: AnySocket): Promise<boolean> {
  return new Promise((resolve) => socket.once('close', resolve))
}

/** Reads to the end. */
export async function readAll(socket: AnySocket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'end')
  return Buffer.concat(chunks)
}

/** Some turns of the event loop: for what must not happen. */
export async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Bytes that differ from their neighbours. */
export function pattern(byteLength: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(byteLength)
  for (let i = 0; i < byteLength; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 0xff
  return bytes
}
