/** Pairs of connections over the driver under test, and messages with known bytes. */
import assert from 'node:assert/strict'
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type TransportListener,
} from '@netts/core'
import type { Settings } from '../options.js'
import type { Context } from './context.js'
import { pause, turn } from './deadline.js'
import { Pattern } from './pattern.js'

const pattern = new Pattern(3)

/** Two connections over the driver; the first one is the fixture's, if it makes its own. */
export async function connected(
  context: Context,
  options?: ConnectionOptions,
  listener?: TransportListener,
): Promise<[client: Connection, server: Connection]> {
  if (context.fixture.connect) {
    const from = listener ?? (await context.listen())
    const connecting = context.within('connect', context.fixture.connect(from.address, options))
    const [client, server] = await Promise.all([connecting, context.accept(from)])
    return [context.ownConnection(client), context.ownConnection(createConnection(server, options))]
  }
  const [client, server] = await context.rawPair(listener)
  return [
    context.ownConnection(createConnection(client, options)),
    context.ownConnection(createConnection(server, options)),
  ]
}

/** Message number `index`, of that length. */
export const message = (index: number, byteLength: number) => pattern.bytes(index * 7919, byteLength)

/** Fails unless the next message is number `index`, of that length. */
export async function checkReceived(
  connection: Connection,
  index: number,
  byteLength: number,
): Promise<void> {
  const received = await connection.recv()
  assert.ok(received, `the end came instead of message ${index}`)
  assert.equal(received.byteLength, byteLength, `the length of message ${index}`)
  checkMessage(received, index)
}

/** Fails unless the bytes are those of message number `index`. */
export function checkMessage(received: Uint8Array, index: number): void {
  pattern.check(received, index * 7919)
}

/** The size up to which `send` copies a message. A larger one may stay pending until its memory has been sent. */
export function copiedByteLength({ transport }: Connection): number {
  return Math.min(64 * 1024, transport.maxSendSize, Math.max(1024, transport.bufferPool.maxByteLength))
}

/** The most that a connection may accept while nobody receives. */
export function mostAccepted({ transport }: Connection, settings: Settings): number {
  return transport.recvWindow + settings.bufferedByteLength + 2 ** 20
}

/** Sends messages until one stays pending. @returns the pending send, and how many were accepted before it */
export async function sendUntilPending(
  { settings }: Context,
  connection: Connection,
  byteLength: number,
): Promise<{ pending: Promise<void>; accepted: number }> {
  const most = mostAccepted(connection, settings)
  for (let accepted = 0; accepted * byteLength <= most; accepted++) {
    let settled = false
    const sending = connection.send(message(accepted, byteLength))
    const onSettled = () => {
      settled = true
    }
    sending.then(onSettled, onSettled)
    for (let turns = 0; turns < 20 && !settled; turns++) await turn()
    // A kernel may have room again after a delayed acknowledgement: Linux delays one by 40 ms (TCP_DELACK_MIN).
    for (let waits = 0; waits < 30 && !settled; waits++) await pause(settings.shortMs / 4)
    if (!settled) return { pending: sending, accepted }
  }
  assert.fail(`more than ${most} bytes were accepted, and nobody receives`)
}
