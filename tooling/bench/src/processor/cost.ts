/**
 * What processor time both ends of a verified round trip take together, in one process over the loopback provider, where
 * the wire takes no time and nobody waits for anybody. Counted in round trips and in processor time, so that a busy
 * machine changes little. Runs in a process of its own, as `cost.js CONTENDER BYTES`, and prints nanoseconds as JSON.
 */
import type { Channel, Wire } from '../contenders/contender.js'
import { contenders } from '../contenders/index.js'
import { Payloads, StreamVerifier } from '../worker/payloads.js'

const byteLength = Number(process.argv[3])
/** So many round trips, or fewer where they are large. */
const TRIPS = Math.max(300, Math.min(100_000, Math.floor(3e8 / byteLength)))
/** V8 has compiled everything by then. */
const WARMUP_TRIPS = Math.ceil(TRIPS * 0.6)

function processorNs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

async function connectedPair(wire: Wire): Promise<{ client: Channel; server: Channel }> {
  const options = { host: '127.0.0.1', connections: 1, byteLength }
  let accept: (channel: Channel) => void = () => {}
  const accepted = new Promise<Channel>((resolve) => {
    accept = resolve
  })
  const { endpoints } = await wire.listen(options, accept)
  const [endpoint] = endpoints
  if (!endpoint) throw new Error('it listens nowhere')
  const client = await wire.connect(endpoint, options)
  return { client, server: await accepted }
}

const contender = contenders.find(({ id }) => id === process.argv[2])
if (!contender || !('load' in contender)) throw new Error(`no contender is called ${process.argv[2]}`)
const { client, server } = await connectedPair(await contender.load())
const payloads = new Payloads(byteLength)
const { variants } = payloads
// A message is a stretch of the stream as well.
const verifiers = { client: new StreamVerifier(payloads), server: new StreamVerifier(payloads) }

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`, () => process.exit(1))
}

client.onFailure = fail
server.onFailure = fail

let trips = 0
let began = 0

/** @returns how many payloads became complete: a ring's end may cut one */
function check(verifier: StreamVerifier, chunk: Uint8Array, byteOffset: number, length: number): number {
  try {
    return verifier.check(chunk, byteOffset, length)
  } catch (error) {
    fail(error)
    return 0
  }
}

server.onReceive = (chunk, byteOffset, length) => {
  server.echo(chunk, byteOffset, length)
  check(verifiers.server, chunk, byteOffset, length)
}
client.onReceive = (chunk, byteOffset, length) => {
  if (check(verifiers.client, chunk, byteOffset, length) === 0) return
  trips++
  if (trips === WARMUP_TRIPS) began = processorNs()
  if (trips === WARMUP_TRIPS + TRIPS) {
    process.stdout.write(JSON.stringify({ processor: (processorNs() - began) / TRIPS }), () => process.exit())
  } else {
    client.send(variants[trips % variants.length] as Buffer)
  }
}
client.send(variants[0] as Buffer)
