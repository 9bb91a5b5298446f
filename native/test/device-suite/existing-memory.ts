/** Registering memory that exists already: SharedArrayBuffers, and files that are mapped. */
import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { AccessFlag, SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import type { MemoryRegion } from '../../lib/verbs/protection-domain.js'
import type { DeviceTest } from './bench.js'
import { connectPair, type End } from './pair.js'

const OFFSET = 13
const BYTES = 10_000
const PAGE_BYTES = 4096

/** Sends the whole region of the client's into one of the server's. */
async function transfer(client: End, from: MemoryRegion, server: End, to: MemoryRegion): Promise<void> {
  server.receive({ entries: [{ region: to, byteLength: to.byteLength }] })
  client.send({
    opcode: SendOpcode.send,
    flags: SendFlag.signalled,
    entries: [{ region: from, byteLength: from.byteLength }],
  })
  await server.completions.succeed(1)
  await client.completions.succeed(1)
}

/** An open file of this many zeros, without a name. */
function openFile(byteLength: number): number {
  const directory = mkdtempSync(join(tmpdir(), 'netts-'))
  const fileDescriptor = openSync(join(directory, 'region'), 'w+')
  rmSync(directory, { recursive: true })
  ftruncateSync(fileDescriptor, byteLength)
  return fileDescriptor
}

export function existingMemoryTests(test: DeviceTest): void {
  test('bytes pass between parts of SharedArrayBuffers, and nothing beside them changes', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    const make = () => new Uint8Array(new SharedArrayBuffer(OFFSET + BYTES + OFFSET), OFFSET, BYTES)
    const [sent, received] = [make(), make()]
    const from = client.protectionDomain.registerRegion({ memory: sent, access: 0 })
    const to = await server.protectionDomain.registerRegionAsync({ memory: received })
    assert.equal(from.bytes, sent)
    assert.equal(to.bytes, received)
    assert.equal(to.byteLength, BYTES)
    for (let at = 0; at < BYTES; at++) sent[at] = (at * 7 + 1) & 0xff
    await transfer(client, from, server, to)
    assert.deepEqual(received.slice(), sent.slice())
    const whole = new Uint8Array(received.buffer)
    assert.deepEqual(whole.slice(0, OFFSET), new Uint8Array(OFFSET))
    assert.deepEqual(whole.slice(OFFSET + BYTES), new Uint8Array(OFFSET))
    from.close()
    to.close()
    close()
  })

  test('memory that could go away under the device is refused', async (bench) => {
    const { client, close } = await connectPair(bench)
    const { protectionDomain } = client
    for (const memory of [new Uint8Array(4096), new Uint8Array(new SharedArrayBuffer(0)), {}, undefined]) {
      const options = { memory: memory as never }
      assert.throws(() => protectionDomain.registerRegion(options), { code: 'ERR_NETTS_INVALID_ARGUMENT' })
      await assert.rejects(protectionDomain.registerRegionAsync(options), {
        code: 'ERR_NETTS_INVALID_ARGUMENT',
      })
    }
    close()
  })

  test('memory of another realm can be registered', async (bench) => {
    const { client, close } = await connectPair(bench)
    const memory = runInNewContext('new Uint8Array(new SharedArrayBuffer(8))') as Uint8Array
    const region = client.protectionDomain.registerRegion({ memory })
    assert.equal(region.bytes, memory)
    region.close()
    close()
  })

  test('a file is mapped, and outlives its descriptor; or it is refused', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    const fileDescriptor = openFile(5 * PAGE_BYTES)
    const options = { fileDescriptor, fileOffset: PAGE_BYTES, byteLength: 2 * PAGE_BYTES }
    if (client.device.name.startsWith('sim')) {
      assert.throws(() => client.protectionDomain.registerRegion(options), { code: 'ERR_NETTS_UNSUPPORTED' })
    } else {
      const from = client.protectionDomain.registerRegion(options)
      const to = server.protectionDomain.registerRegion({ byteLength: 2 * PAGE_BYTES })
      from.bytes.fill(0x5a)
      const there = Buffer.alloc(5 * PAGE_BYTES)
      readSync(fileDescriptor, there, 0, there.length, 0)
      for (const [refused, errno] of [
        [{ ...options, fileOffset: 100 }, 'EINVAL'],
        [{ ...options, byteLength: 100 }, 'EINVAL'],
        [{ ...options, byteLength: 5 * PAGE_BYTES }, 'EOVERFLOW'],
      ] as const) {
        assert.throws(() => client.protectionDomain.registerRegion(refused), {
          code: 'ERR_NETTS_VERBS',
          message: new RegExp(errno),
        })
      }
      closeSync(fileDescriptor)
      assert.throws(() => client.protectionDomain.registerRegion(options), {
        code: 'ERR_NETTS_VERBS',
        message: /EBADF/,
      })
      await transfer(client, from, server, to)
      assert(to.bytes.every((byte) => byte === 0x5a))
      assert(there.every((byte, at) => byte === (at >= PAGE_BYTES && at < 3 * PAGE_BYTES ? 0x5a : 0)))
      from.close()
      to.close()
    }
    close()
  })

  test('relaxed ordering is taken where the device has it, and changes no bytes', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    const access = AccessFlag.localWrite | AccessFlag.relaxedOrdering
    const from = client.protectionDomain.registerRegion({ byteLength: PAGE_BYTES, access })
    const to = server.protectionDomain.registerRegion({ byteLength: PAGE_BYTES, access })
    from.bytes.fill(0xc3)
    await transfer(client, from, server, to)
    assert.deepEqual(to.bytes, from.bytes)
    from.close()
    to.close()
    close()
  })
}
