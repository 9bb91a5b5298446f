/** What nobody refers to is closed, memory outlives what it was registered for, and a fork changes none of it. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connectPair, listen } from '../../test/device-suite/pair.js'
import { type LabDevice, labDevices } from '../../test/lab/devices.js'
import { benchOn } from '../../test/lab/scenarios.js'
import { AccessFlag, SendFlag, SendOpcode } from '../verbs/layout.js'
import { openVerbs } from './open-verbs.js'

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let round = 0; round < 5; round++) {
    gc()
    await sleep(10)
  }
}

for (const device of labDevices()) {
  describe(`garbage on ${device.name}`, { timeout: 60_000 }, () => {
    it('objects that nobody refers to any more are closed', async () => {
      const { client } = benchOn(device)
      const counts = client.counts
      await dropEverything(device)
      await collectGarbage()
      assert.deepEqual(client.counts, counts)
      assert.equal(client.pinnedBytes, 0)
      client.close()
    })

    it('a region stays readable after everything else is gone', async () => {
      const bytes = await keepOnlyBytes(device)
      await collectGarbage()
      assert.equal(bytes[4095], 42)
      openVerbs().close()
      assert.equal(bytes[4095], 42)
    })
  })

  it(`child processes do not disturb registered memory on ${device.name}`, {
    timeout: 60_000,
  }, async () => {
    const bench = benchOn(device)
    const { client, server, close } = await connectPair(bench, {
      server: { access: AccessFlag.localWrite | AccessFlag.remoteWrite },
    })
    for (let round = 1; round <= 5; round++) {
      const child = spawn('sleep', ['0.2'])
      // Had the child shared these pages, this would be a write to a copy that the device does not know.
      const sent = client.fill(0, 4096, round)
      server.region.bytes.fill(0)
      execFileSync('true')
      client.send({
        opcode: SendOpcode.write,
        flags: SendFlag.signalled,
        entries: [{ region: client.region, byteLength: 4096 }],
        remoteAddress: server.region.remoteAddress,
        remoteKey: server.region.remoteKey,
      })
      await client.completions.succeed(1)
      if (device.type === 'siw') await sleep(50)
      assert.deepEqual(server.bytes(0, 4096), sent)
      if (child.exitCode === null) await once(child, 'close')
    }
    close()
    bench.client.close()
  })
}

/** In a function of its own, so that nothing stays on the stack. */
async function dropEverything(device: LabDevice): Promise<void> {
  const bench = benchOn(device)
  const listener = listen(bench)
  const pair = await connectPair(bench, {}, listener)
  for (const { id, channel, completions } of [pair.client, pair.server]) {
    // What has a callback is alive, like a socket.
    id.onEvent = undefined
    id.unref()
    channel.unref()
    completions.queue.onNotify = undefined
  }
  listener.id.onEvent = undefined
  listener.id.unref()
}

async function keepOnlyBytes(device: LabDevice): Promise<Uint8Array> {
  const [first] = benchOn(device).client.devices()
  const region = first!.allocateProtectionDomain().registerRegion({ byteLength: 4096 })
  region.bytes[4095] = 42
  return region.bytes
}
