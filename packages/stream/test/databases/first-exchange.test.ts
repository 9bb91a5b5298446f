/** Unmodified clients whose servers are not here begin their sessions over each transport. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { skippedWires, usableWires } from '../wires.js'

const PROGRAM = fileURLToPath(new URL('first-exchange.program.ts', import.meta.url))

/** What each sends first, in hexadecimal. */
const FIRST = {
  // A length, and then a request of the kind ApiVersions, 18.
  kafkajs: /^0000....0012/,
  // `AMQP`, and then 3 for SASL or 0 without it, and version 1.0.0.
  rhea: /^414d5150(00|03)010000/,
  // A sequence of a message number and a bind request.
  ldapts: /^30..0201..60/,
  // `SSH-2.0-`
  ssh2: /^5353482d322e302d/,
  // `EHLO `
  nodemailer: /^45484c4f20/,
  // A handshake record, with a ClientHello.
  'node:tls': /^1603......01/,
}

it(`each client begins its session over every transport${skippedWires}`, async () => {
  const { NODE_OPTIONS: _, ...env } = process.env
  const args = ['--conditions=@netts/source', '--import', 'tsx', PROGRAM]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 60_000 })
  const lines = stdout.trim().split('\n')
  expect(lines.length).toBe(usableWires.length * Object.keys(FIRST).length)
  for (const [client, first] of Object.entries(FIRST)) {
    for (const wire of usableWires) {
      const line = lines.find((text) => text.startsWith(`${client}; ${wire.name};`))
      expect(line?.split('; ')[2], `${client} over ${wire.name}`).toMatch(first)
    }
  }
}, 90_000)
