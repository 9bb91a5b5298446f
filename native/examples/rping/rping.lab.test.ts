/** The examples against the C program of rdma-core, which verifies the data on its side. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openVerbs } from '@netts/verbs'
import { labDevices } from '../../test/lab/devices.js'
import { rpingClient } from './client.js'
import { rpingServer } from './server.js'

const ROUNDS = 25

function rping(...options: string[]) {
  const child = spawn('rping', options)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk
    })
  }
  return { ended: once(child, 'close').then(([status]) => ({ status: status as number, output })) }
}

for (const { name, address } of labDevices()) {
  describe(`rping on ${name}`, { timeout: 120_000 }, () => {
    for (const size of [64, 100, 60_000]) {
      it(`serves rping -c, ${size} bytes`, async () => {
        let listening = () => {}
        const ready = new Promise<void>((resolve) => {
          listening = resolve
        })
        const served = rpingServer(address, 7174, () => listening())
        await ready
        const sizes = ['-S', String(size), '-C', String(ROUNDS)]
        const client = rping('-c', '-V', '-a', address, '-p', '7174', ...sizes)
        const { status, output } = await client.ended
        assert.equal(status, 0, output)
        assert.equal(await served, ROUNDS)
        openVerbs().close()
      })

      it(`is a client of rping -s, ${size} bytes`, async () => {
        const server = rping(
          '-s',
          '-V',
          '-a',
          address,
          '-p',
          '7175',
          '-S',
          String(size),
          '-C',
          String(ROUNDS),
        )
        await untilListening(7175)
        await rpingClient(address, 7175, ROUNDS, size)
        openVerbs().close()
        const { output } = await server.ended
        assert.doesNotMatch(output, /error|bogus|bad/i)
      })
    }
  })
}

/** `rdma resource show cm_id` lists listeners; rping says nothing when it listens. */
async function untilListening(port: number): Promise<void> {
  while (!execFileSync('rdma', ['resource', 'show', 'cm_id'], { encoding: 'utf8' }).includes(`${port}`)) {
    await sleep(50)
  }
}
