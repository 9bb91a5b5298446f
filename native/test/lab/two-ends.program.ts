/**
 * Two ends that each have an environment of their own, by the argument: `threads` of one process, or `processes`.
 * They send each other messages of all sizes, Write into each other's memory and Read from it.
 */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { LOOPBACK_ADDRESS } from '@netts/loopback'
import { openVerbs } from '../../lib/addon/open-verbs.js'
import { AccessFlag, SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import { type Bench, EventLog } from '../device-suite/bench.js'
import { End, listen, resolve } from '../device-suite/pair.js'

const MESSAGES = [1, 64, 4096, 4097, 30_000]
const ROUNDS = 40
const HALF = 32 * 1024
const access = AccessFlag.localWrite | AccessFlag.remoteRead | AccessFlag.remoteWrite
/** Node.js 20 does not hand a TypeScript loader of the main thread on to workers. */
const LOAD = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(import.meta.url)})))`

const verbs = openVerbs()
const bench: Bench = {
  client: verbs,
  server: verbs,
  serverHost: LOOPBACK_ADDRESS,
  settle: (promise) => promise,
}
const sizeOf = (round: number) => MESSAGES[round % MESSAGES.length]!

const receive = (end: End) =>
  end.receive({ entries: [{ region: end.region, byteOffset: HALF, byteLength: HALF }] })

function send(end: End, round: number): Uint8Array {
  const byteLength = sizeOf(round)
  const sent = end.fill(0, byteLength, round)
  end.send({
    opcode: SendOpcode.send,
    flags: SendFlag.signalled,
    entries: [{ region: end.region, byteLength }],
  })
  return sent
}

/** Answers each message with itself, and tells where its memory is first. */
async function serve(start: (port: number) => void): Promise<void> {
  const listener = listen(bench)
  start(listener.id.localAddress!.port)
  const request = await listener.expect('connect-request')
  const end = new End(verbs, new EventLog(request.id), { access })
  receive(end)
  const privateData = new Uint8Array(12)
  const view = new DataView(privateData.buffer)
  view.setBigUint64(0, end.region.remoteAddress)
  view.setUint32(8, end.region.remoteKey)
  end.id.accept({ privateData })
  await end.events.expect('established')
  for (let round = 0; round < ROUNDS; round++) {
    const [received] = await end.completions.succeed(1)
    assert.equal(received?.byteLength, sizeOf(round))
    end.region.bytes.copyWithin(0, HALF, HALF + sizeOf(round))
    const expected = end.bytes(HALF, sizeOf(round))
    receive(end)
    assert.deepEqual(send(end, round), expected)
    await end.completions.succeed(1)
  }
  await end.events.expect('disconnected')
  end.close()
  listener.id.close()
  verbs.close()
}

async function connect(port: number): Promise<void> {
  const end = new End(verbs, await resolve(bench, port))
  receive(end)
  end.id.connect()
  const { privateData } = await end.events.expect('established')
  const view = new DataView(privateData.buffer, privateData.byteOffset)
  const remote = { remoteAddress: view.getBigUint64(0), remoteKey: view.getUint32(8) }
  for (let round = 0; round < ROUNDS; round++) {
    const sent = send(end, round)
    // The one's completion, and the other's message.
    await end.completions.succeed(2)
    assert.deepEqual(end.bytes(HALF, sizeOf(round)), sent)
    receive(end)
    const oneSided = { flags: SendFlag.signalled, ...remote }
    const here = (byteOffset: number) => [{ region: end.region, byteOffset, byteLength: sizeOf(round) }]
    const written = end.fill(0, sizeOf(round), round + 1000)
    end.send({ ...oneSided, opcode: SendOpcode.write, entries: here(0) })
    end.send({ ...oneSided, opcode: SendOpcode.read, entries: here(HALF) })
    await end.completions.succeed(2)
    assert.deepEqual(end.bytes(HALF, sizeOf(round)), written)
  }
  end.close()
  verbs.close()
}

const [, , where, port] = process.argv
if (!isMainThread) {
  await connect(workerData as number)
} else if (port !== undefined) {
  await connect(Number(port))
} else {
  let peer: Promise<unknown[]> | undefined
  await serve((port) => {
    if (where === 'threads') peer = once(new Worker(LOAD, { eval: true, workerData: port }), 'exit')
    else peer = once(fork(fileURLToPath(import.meta.url), [where!, `${port}`]), 'exit')
  })
  assert.equal((await peer!)[0], 0)
  console.log(`${ROUNDS} answered`)
}
