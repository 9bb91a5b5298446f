/** Connecting, transferring and closing, time and again. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import type { Bench } from '../device-suite/bench.js'
import { connectPair, listen } from '../device-suite/pair.js'
import type { LabDevice } from './devices.js'
import { kernelResources, settleResources } from './resources.js'
import { benchOn } from './scenarios.js'

/** What this process holds, as the kernel counts it. */
function held() {
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    // Pages that cannot be moved, registered memory among them: see proc(5).
    pinnedKib: Number(/^VmPin:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]),
  }
}

/** @throws AssertionError when after so many cycles there is more than after the first, or less */
export async function cycles(device: LabDevice, count: number): Promise<void> {
  const bench: Bench = benchOn(device)
  const listener = listen(bench)
  const cycle = async (round: number) => {
    const { client, server, close } = await connectPair(bench, {}, listener)
    server.receive({ entries: [{ region: server.region, byteLength: 64 }] })
    const sent = client.fill(0, 64, round)
    client.send({
      opcode: SendOpcode.send,
      flags: SendFlag.signalled,
      entries: [{ region: client.region, byteLength: 64 }],
    })
    await server.completions.succeed(1)
    assert.deepEqual(server.bytes(0, 64), sent)
    assert(held().pinnedKib > 0)
    close()
  }
  await cycle(0)
  const resources = kernelResources()
  const atFirst = { ...resources, ...held() }
  for (let round = 1; round <= count; round++) await cycle(round)
  const after = { ...(await settleResources(resources)), ...held() }
  assert.deepEqual(after, atFirst)
  console.log(`${device.name}: after ${count} cycles ${JSON.stringify(after)}, as before`)
  listener.id.close()
  bench.client.close()
}
