/** Posts over the device that does nothing (`src/noop-device`), in batches of any size, and closes in any order. */
import assert from 'node:assert/strict'
import { openVerbs } from '../addon/open-verbs.js'
import { type Bench, EventLog } from '../device-suite/bench.js'
import { End } from '../device-suite/pair.js'
import { SendFlag, SendOpcode } from '../verbs/layout.js'

const BATCHES = [1, 7, 32]
const ROUNDS = 50

async function connect({ client }: Pick<Bench, 'client'>): Promise<End> {
  const events = new EventLog(client.createCmId())
  events.id.resolveAddress({ destination: { host: '127.0.0.1', port: 1 }, timeoutMs: 1000 })
  await events.expect('address-resolved')
  events.id.resolveRoute(1000)
  await events.expect('route-resolved')
  const end = new End(client, events)
  end.id.connect()
  await events.expect('established')
  return end
}

const client = openVerbs()
const ends = [await connect({ client }), await connect({ client }), await connect({ client })]
let completed = 0
for (let round = 0; round < ROUNDS; round++) {
  for (const batch of BATCHES) {
    const end = ends[round % ends.length]!
    const request = {
      opcode: SendOpcode.send,
      flags: SendFlag.signalled,
      entries: [{ region: end.region, byteLength: 64 }],
    }
    end.send(...Array.from({ length: batch }, (_, index) => ({ ...request, id: BigInt(completed + index) })))
    for (const { id } of await end.completions.succeed(batch)) assert.equal(id, BigInt(completed++))
  }
}
const [first, second] = ends
first!.close()
// In the wrong order: what others were made from lives on underneath.
second!.protectionDomain.close()
second!.completions.queue.close()
second!.id.close()
client.close()
console.log(`${completed} completed`)
