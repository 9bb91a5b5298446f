/**
 * Forwards each published message to every subscriber of its topic. A subscriber that is too slow misses messages, and is
 * told how many. Neither the publishers nor the other subscribers wait for it, and memory is bounded.
 */
import { type Connection, listen } from '@netts/core'
import { tcp } from '@netts/tcp'

const port = Number(process.argv[2] ?? 7000)
// A subscriber that takes nothing for a minute is disconnected.
const server = await listen(tcp(), { host: '127.0.0.1', port }, { stallTimeoutMs: 60_000 })
console.log('listening', server.address)
process.once('SIGTERM', () => void server.close({ drain: true, deadlineMs: 0 }))

const subscribers = new Map<string, Set<Subscriber>>()

class Subscriber {
  readonly #connection: Connection
  #missed = 0

  constructor(connection: Connection) {
    this.#connection = connection
  }

  offer(text: string): void {
    try {
      const message = Buffer.from(JSON.stringify({ text, missed: this.#missed }))
      // `trySend` does not wait: it refuses the message if the connection has no room.
      if (this.#connection.trySend(message)) this.#missed = 0
      else this.#missed++
    } catch {
      // It is closing; `serve` removes it.
    }
  }
}

/** Serves a client: a subscriber sends `{ "subscribe": topic }`, a publisher `{ "publish": topic, "text": … }` each time. */
async function serve(connection: Connection): Promise<void> {
  for await (const bytes of connection) {
    const message = JSON.parse(bytes.toString()) as { subscribe?: string; publish?: string; text?: string }
    if (message.subscribe !== undefined) return await subscribe(connection, message.subscribe)
    for (const subscriber of subscribers.get(String(message.publish)) ?? [])
      subscriber.offer(String(message.text))
  }
}

async function subscribe(connection: Connection, topic: string): Promise<void> {
  const subscriber = new Subscriber(connection)
  const others = subscribers.get(topic) ?? new Set()
  subscribers.set(topic, others.add(subscriber))
  try {
    await connection.send(Buffer.from(JSON.stringify({ subscribed: topic })))
    await connection.peerEnded
  } finally {
    others.delete(subscriber)
    if (others.size === 0) subscribers.delete(topic)
  }
  await connection.close()
}

for await (const connection of server) serve(connection).catch((error) => connection.destroy(error))
