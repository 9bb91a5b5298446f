/** Unmodified clients of databases and brokers over each transport: whole sessions with real servers. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { skippedWires, usableWires } from '../wires.js'
import { mariadbServer, missing, mosquittoServer, postgresServer, redisServer } from './server.js'

const PROGRAM = fileURLToPath(new URL('sessions.program.ts', import.meta.url))

/** The server of each client; the clients themselves load in the program alone. */
const CLIENTS = {
  pg: postgresServer,
  postgres: postgresServer,
  mysql2: mariadbServer,
  mariadb: mariadbServer,
  ioredis: redisServer,
  mqtt: mosquittoServer,
}

for (const [client, server] of Object.entries(CLIENTS)) {
  const why = missing(server)
  it.skipIf(why)(
    `${client} over every transport${why ? ` (skipped: ${why})` : skippedWires}`,
    async () => {
      const { NODE_OPTIONS: _, ...env } = process.env
      const args = ['--conditions=@netts/source', '--import', 'tsx', PROGRAM, client]
      const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 60_000 })
      expect(stdout.trim().split('\n')).toEqual(usableWires.map(({ name }) => name))
    },
    90_000,
  )
}
