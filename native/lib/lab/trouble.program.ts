/** What goes wrong beside the network: callbacks that throw, misuse, limits. On the loopback device. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { LOOPBACK_ADDRESS } from '@netts/loopback'
import { loadAddon } from '../addon/load-addon.js'
import { openVerbs } from '../addon/open-verbs.js'
import { type Bench, EventLog } from '../device-suite/bench.js'
import { End, listen, resolve } from '../device-suite/pair.js'

const NOBODY = 65_534

const client = openVerbs()
const bench: Bench = {
  client,
  server: client,
  serverHost: LOOPBACK_ADDRESS,
  settle: (promise) => promise,
}
const listener = listen(bench)

async function resolved(): Promise<End> {
  return new End(client, await resolve(bench, listener.id.localAddress!.port))
}

const troubles: Record<string, () => Promise<void>> = {
  /** Events that waited for their callback come one after the other, whatever it throws. */
  async callbacks() {
    const { id } = await resolved()
    id.onEvent = undefined
    id.connect()
    const request = await listener.expect('connect-request')
    const server = new End(client, new EventLog(request.id))
    server.id.accept()
    await server.events.expect('established')
    server.id.disconnect()
    await setTimeout(50)
    const seen: string[] = []
    const thrown: string[] = []
    process.on('uncaughtException', ({ message }) => thrown.push(message))
    id.onEvent = ({ type }) => {
      seen.push(type)
      throw new Error(type)
    }
    await setTimeout(50)
    process.removeAllListeners('uncaughtException')
    assert.deepEqual(seen, ['established', 'disconnected'])
    assert.deepEqual(thrown, seen)
  },

  async misuse() {
    const { queuePair } = await resolved()
    for (const wrong of ['1', undefined, null, {}, 0.5, Number.NaN] as number[]) {
      assert.throws(() => queuePair.postReceive(wrong), { code: 'ERR_NETTS_INVALID_ARGUMENT' })
      assert.throws(() => queuePair.postReceive(1, wrong ?? (null as never)), {
        code: 'ERR_NETTS_INVALID_ARGUMENT',
      })
    }
  },

  /** The limit is asked for with every slab, and opening devices takes long. */
  async memlock() {
    const binding = loadAddon() as { probe: unknown }
    binding.probe = () => assert.fail('looked at all devices')
    assert.ok(client.memlockLimitBytes > 0)
  },

  /** On iWARP connecting takes a thread of its own. */
  async threads() {
    const { id } = await resolved()
    if (process.getuid!() === 0) process.setuid!(NOBODY)
    const { status } = spawnSync('prlimit', ['--pid', String(process.pid), '--nproc=1'])
    assert.equal(status, 0)
    assert.throws(() => id.connect(), { code: 'ERR_NETTS_VERBS', message: /rdma_connect.*EAGAIN/ })
  },
}

const [, , name = ''] = process.argv
await troubles[name]!()
client.close()
console.log('survived')
