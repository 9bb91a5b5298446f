/**
 * What goes wrong beside the network, on the loopback device: callbacks that throw, misuse, limits, a device that goes
 * and comes back.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { types } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { LOOPBACK_ADDRESS } from '@netts/loopback'
import { loadAddon } from '../../lib/addon/load-addon.js'
import type { Handle } from '../../lib/addon/native-binding.js'
import { openVerbs } from '../../lib/addon/open-verbs.js'
import { CompletionLoop } from '../../lib/endpoint/completion-loop.js'
import { SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import { type Bench, EventLog } from '../device-suite/bench.js'
import { connectPair, End, listen, resolve } from '../device-suite/pair.js'

const NOBODY = 65_534
const SLAB_BYTES = 256 << 20
const ROUNDS = 10
/** Where `NETTS_LOOPBACK_COUNTERS` has them: see `src/base/counters.h` of `@netts/loopback`. */
const [CHANNEL_EVENTS, CHANNEL_READS_IN_VAIN] = [8, 16]

const client = openVerbs()
const bench: Bench = {
  client,
  server: client,
  serverHost: LOOPBACK_ADDRESS,
  settle: (promise) => promise,
}

async function resolved(listener = listen(bench)): Promise<End> {
  return new End(client, await resolve(bench, listener.id.localAddress!.port))
}

/** The handles that a queue pair is made of: id, protection domain, and its two completion queues. */
async function withHandles() {
  const end = await resolved()
  end.queuePair.close()
  const use = (object: unknown) => (object as { use(): Handle }).use()
  const queue = use(end.completions.queue)
  return { end, handles: [use(end.id), use(end.protectionDomain), queue, queue] as const }
}

/** The device is gone and there again by now, and nobody was told yet. */
function replaceDevice(): void {
  writeFileSync(process.env.NETTS_LOOPBACK_CONTROL!, 'remove\nreturn\n')
  // Whoever asks for devices has commands carried out.
  client.devices()
}

/** In a function of its own, so that nothing stays on the stack. */
async function fillSlab(act: () => void): Promise<void> {
  const end = await resolved()
  const slab = end.protectionDomain.registerRegion({ byteLength: SLAB_BYTES })
  const before = process.memoryUsage.rss()
  slab.bytes.fill(1)
  assert(process.memoryUsage.rss() - before > SLAB_BYTES / 2)
  act()
  slab.close()
  end.close()
}

const troubles: Record<string, () => Promise<void>> = {
  /** Events that waited for their callback come one after the other, whatever it throws. */
  async callbacks() {
    const listener = listen(bench)
    const { id } = await resolved(listener)
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
    const binding = loadAddon()
    const { end, handles } = await withHandles()
    const limits = {
      maxSendWorkRequests: 1,
      maxReceiveWorkRequests: 1,
      maxSendEntries: 1,
      maxReceiveEntries: 1,
      maxInlineBytes: 0,
    }
    for (const none of ['maxSendWorkRequests', 'maxSendEntries', 'maxReceiveEntries']) {
      assert.throws(
        () => binding.createQueuePair(...handles, undefined, { ...limits, [none]: 0 }),
        { code: 'ERR_NETTS_INVALID_ARGUMENT' },
        none,
      )
    }
    for (const [requests, entries] of [
      [0, 1],
      [1, 0],
    ] as const) {
      assert.throws(() => binding.createSharedReceiveQueue(handles[1], requests, entries), {
        code: 'ERR_NETTS_INVALID_ARGUMENT',
      })
    }
    const otherKind = { name: 'TypeError', message: /another kind/ }
    assert.throws(() => binding.cmLocalAddress(handles[1]), otherKind)
    assert.throws(() => binding.queuePairState(handles[2]), otherKind)
    end.close()
    // Of another addon: Node.js makes some itself.
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const foreign = (server as unknown as { _handle: { _externalStream: Handle } })._handle._externalStream
    assert.equal(types.isExternal(foreign), true)
    for (const call of [binding.close, binding.cmLocalAddress, binding.queuePairState]) {
      assert.throws(() => call(foreign), { name: 'TypeError', message: /not a handle/ })
    }
    server.close()
  },

  /** One queue sleeps and wakes: each wake reads its event, and nothing else. */
  async channel() {
    // Armed, a channel is read whenever the device has something to do. Nothing here is solicited.
    const { client: end, server } = await connectPair(bench, {
      beforeConnect: ({ completions }) => completions.queue.arm(),
      beforeAccept: ({ completions }) => completions.queue.arm(true),
    })
    server.receive(...Array.from({ length: ROUNDS }, () => ({})))
    const { queue } = end.completions
    for (let round = 0; round < ROUNDS; round++) {
      const woken = new Promise<void>((resolve) => {
        queue.onNotify = resolve
      })
      queue.arm()
      end.send({ opcode: SendOpcode.send, flags: SendFlag.signalled })
      await woken
      assert.equal(queue.poll(), 1)
    }
    const counters = readFileSync(process.env.NETTS_LOOPBACK_COUNTERS!)
    assert.equal(counters.readBigUInt64LE(CHANNEL_EVENTS), BigInt(ROUNDS))
    assert.equal(counters.readBigUInt64LE(CHANNEL_READS_IN_VAIN), 0n)
  },

  /** A device that goes and comes back is another one, and what was registered with the first is given back. */
  async removal() {
    const { client: end, server } = await connectPair(bench)
    const { device } = end
    const told = new Promise<string>((resolve) => {
      device.onEvent = ({ type }) => resolve(type)
    })
    replaceDevice()
    // Before its removal is told, the new one is there already.
    const next = await connectPair(bench)
    const present = next.client.device
    assert.notEqual(present, device)
    assert.equal(present, client.devices()[0])
    next.server.receive({})
    next.client.send({ opcode: SendOpcode.send, flags: SendFlag.signalled })
    await next.server.completions.succeed(1)
    assert.equal(await told, 'device-fatal')
    await end.events.expect('device-removal')
    assert.throws(() => device.ports(), { code: 'ERR_NETTS_INVALID_STATE' })
    assert.equal(end.id.device, device)
    assert.equal(client.devices()[0], present)
    next.close()
    server.close()
    end.close()
    assert.equal(client.pinnedBytes, 0)
  },

  async slabs() {
    const before = process.memoryUsage.rss()
    await fillSlab(replaceDevice)
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    for (let round = 0; round < 5; round++) {
      gc()
      await setTimeout(10)
    }
    assert(process.memoryUsage.rss() - before < SLAB_BYTES / 2, 'the slab is still there')
  },

  /** Nothing is closed, and polling in every turn does not keep the process alive once nobody asks for that. */
  async unref() {
    const device = client.devices()[0]!
    const createChannel = device.createCompletionChannel.bind(device)
    let polls = 0
    device.createCompletionChannel = (options) => {
      const channel = createChannel(options)
      const poll = channel.poll.bind(channel)
      channel.poll = (spinMicroseconds) => {
        polls++
        return poll(spinMicroseconds)
      }
      return channel
    }
    const loop = new CompletionLoop(device, client.clock, {
      polling: 'busy',
      adaptiveMicroseconds: 100,
      spinMicroseconds: 0,
    })
    const shared = loop.reserve(1)
    loop.route(shared, 1, { onCompletion() {}, onBatchEnd() {}, onQueueFailure() {} })
    const turns = async () => {
      const before = polls
      await setTimeout(100)
      return polls - before
    }
    loop.ref()
    const polled = await turns()
    loop.unref()
    await turns()
    const rested = await turns()
    loop.ref()
    const again = await turns()
    loop.unref()
    process.once('exit', () => {
      if (polled > 5 && rested === 0 && again > 5) console.log('survived')
    })
    await new Promise(() => {})
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
