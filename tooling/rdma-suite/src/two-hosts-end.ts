/** One end of a transfer between two hosts, a process in each, which prints a line of JSON for each thing that happens. */
import { type Connection, connect, listen } from '@netts/core'
import { openVerbs } from '@netts/verbs'
import type { RdmaOptions } from '@netts/verbs/endpoint'
import { labDevices } from './lab-devices.js'
import type { TestedDriver } from './tested-driver.js'

const MESSAGE_BYTES = 65_536
const PORT = 18_515

const say = (what: object) => console.log(JSON.stringify(what))

/** The whole of the program. Its arguments: `server` or `client`, the device's type, and how many messages. */
export async function runTwoHostsEnd<O extends RdmaOptions>(driver: TestedDriver<O>): Promise<void> {
  const [role, type, count] = process.argv.slice(2)
  const device = labDevices().find((device) => device.type === type)
  if (!device) throw new Error(`there is no ${type} device here`)
  const builder = driver.build()
  if (role === 'server') {
    const server = await listen(builder, { host: device.address, port: PORT })
    say({ event: 'listening' })
    const connection = (await server.accept())!
    await server.close()
    await receive(connection)
  } else {
    const address = { host: device.peerAddress!, port: PORT }
    const connection = await connect(builder, address, { timeoutMs: 30_000 })
    say({ event: 'connected' })
    await send(connection, Number(count))
  }
  await nothingOpen()
}

/** Each message says its number, and is full of it. */
function message(index: number): Buffer {
  const bytes = Buffer.alloc(MESSAGE_BYTES, index & 0xff)
  bytes.writeUInt32BE(index)
  return bytes
}

async function send(connection: Connection, messages: number): Promise<void> {
  let sent = 0
  try {
    for (; sent < messages; sent++) await connection.send(message(sent))
    await connection.close()
  } catch {
    // `closed` tells why.
  }
  const error = await connection.closed
  say({ event: 'end', messages: sent, code: error?.code, message: error?.message })
}

async function receive(connection: Connection): Promise<void> {
  let received = 0
  let damaged = 0
  try {
    for await (const bytes of connection) if (!bytes.equals(message(received++))) damaged++
    await connection.close()
  } catch {
    // `closed` tells why.
  }
  const error = await connection.closed
  say({ event: 'end', messages: received, damaged, code: error?.code, message: error?.message })
}

/** Says so once this process has nothing of verbs open any more. */
async function nothingOpen(): Promise<void> {
  const verbs = openVerbs()
  const left = () => Object.entries(verbs.counts).filter(([, open]) => open > 0)
  for (let tries = 0; tries < 600 && left().length + verbs.pinnedBytes > 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  say({ event: 'closed', left: left(), pinnedBytes: verbs.pinnedBytes })
}
