/** Sessions of unmodified clients of databases and brokers, each with the one line that gives it a stream. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { type ConnectionConfig, createConnection } from 'mariadb'
import { MqttClient } from 'mqtt'
import mysql from 'mysql2/promise'
import pg from 'pg'
import postgres from 'postgres'
import type { TransportStream } from '../../src/index.js'
import { pattern } from '../contract/pair.js'
import { mariadbServer, mosquittoServer, postgresServer, redisServer, type ServerProgram } from './server.js'

/** Uses a server as a program would, and closes its connections. */
export type Session = (connect: () => TransportStream) => Promise<void>

const blob = pattern(1 << 20)

const pgSession: Session = async (connect) => {
  const client = new pg.Client({ user: 'netts', database: 'postgres', stream: connect })
  await client.connect()
  const sum = await client.query('select $1::int + $2::int as sum', [40, 2])
  assert.deepEqual(sum.rows, [{ sum: 42 }])
  const echoed = await client.query('select $1::bytea as bytes', [blob])
  assert.ok(blob.equals(echoed.rows[0].bytes))
  await assert.rejects(client.query('select nonsense'), { code: '42703' })
  const notified = once(client, 'notification')
  await client.query('listen news')
  await client.query("notify news, 'hello'")
  const [{ channel, payload }] = await notified
  assert.deepEqual([channel, payload], ['news', 'hello'])
  const rows = await client.query('select generate_series(1, 10000) as n')
  assert.equal(rows.rows.length, 10_000)
  await client.end()
}

const postgresSession: Session = async (connect) => {
  // The option is in its documentation, and not in its types.
  const options = { user: 'netts', database: 'postgres', max: 2, socket: async () => connect() }
  const sql = postgres(options as postgres.Options<Record<string, never>>)
  const [sum] = await sql`select ${40}::int + 2 as sum`
  assert.equal(sum!.sum, 42)
  const [echoed] = await sql`select ${blob}::bytea as bytes`
  assert.ok(blob.equals(echoed!.bytes))
  const many = await Promise.all(Array.from({ length: 50 }, (_, n) => sql`select ${n}::int as n`))
  assert.deepEqual(
    many.map(([row]) => row!.n),
    Array.from({ length: 50 }, (_, n) => n),
  )
  await sql.end()
}

const mysql2Session: Session = async (connect) => {
  const connection = await mysql.createConnection({ user: 'root', stream: connect })
  const [rows] = await connection.execute('select ? + ? as sum', [40, 2])
  assert.equal((rows as { sum: number }[])[0]!.sum, 42)
  const [echoed] = (await connection.query('select ? as bytes', [blob])) as unknown as [{ bytes: Buffer }[]]
  assert.ok(blob.equals(echoed[0]!.bytes))
  await assert.rejects(connection.query('select nonsense'), { code: 'ER_BAD_FIELD_ERROR' })
  await connection.end()
}

const mariadbSession: Session = async (connect) => {
  const connection = await createConnection({
    user: 'root',
    stream: (callback: (error: Error | null, stream: TransportStream) => void) => callback(null, connect()),
  } as ConnectionConfig)
  const [row] = await connection.query('select ? + ? as sum', [40, 2])
  assert.equal(Number(row.sum), 42)
  const [echoed] = await connection.query('select ? as bytes', [blob])
  assert.ok(blob.equals(echoed.bytes))
  await connection.end()
}

const ioredisSession: Session = async (connect) => {
  class Connector {
    readonly connecting = false
    stream: TransportStream | undefined
    check() {
      return true
    }
    disconnect() {
      this.stream?.end()
    }
    async connect() {
      this.stream = connect()
      await once(this.stream, 'connect')
      return this.stream
    }
  }
  const redis = new Redis({ Connector: Connector as never })
  await redis.set('answer', '42')
  assert.equal(await redis.get('answer'), '42')
  await redis.set('blob', blob)
  assert.ok(blob.equals((await redis.getBuffer('blob'))!))
  const replies = await Promise.all(Array.from({ length: 1000 }, () => redis.incr('count')))
  assert.deepEqual(
    replies,
    Array.from({ length: 1000 }, (_, n) => replies[0]! + n),
  )
  await redis.del('count')
  const ended = once(redis, 'end')
  await redis.quit()
  await ended
}

const mqttSession: Session = async (connect) => {
  const client = new MqttClient(() => connect(), { clientId: 'netts', reconnectPeriod: 0 })
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
  })
  await client.subscribeAsync('news/#', { qos: 1 })
  const heard: string[] = []
  client.on('message', (topic, payload) => heard.push(`${topic} ${payload}`))
  for (let n = 0; n < 50; n++) await client.publishAsync(`news/${n}`, `hello ${n}`, { qos: 1 })
  while (heard.length < 50) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    heard,
    Array.from({ length: 50 }, (_, n) => `news/${n} hello ${n}`),
  )
  await client.endAsync()
}

/** By the client's name: its session, and the server for it. */
export const sessions: Readonly<Record<string, { readonly run: Session; readonly server: ServerProgram }>> = {
  pg: { run: pgSession, server: postgresServer },
  postgres: { run: postgresSession, server: postgresServer },
  mysql2: { run: mysql2Session, server: mariadbServer },
  mariadb: { run: mariadbSession, server: mariadbServer },
  ioredis: { run: ioredisSession, server: redisServer },
  mqtt: { run: mqttSession, server: mosquittoServer },
}
