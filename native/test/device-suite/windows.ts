/** Memory windows of type 2: a key for part of a region, for one queue pair, until it is invalidated. */
import assert from 'node:assert/strict'
import {
  AccessFlag,
  CompletionOpcode,
  CompletionStatus,
  SendFlag,
  SendOpcode,
} from '../../lib/verbs/layout.js'
import { type MemoryWindow, nextRemoteKey } from '../../lib/verbs/protection-domain.js'
import type { DeviceTest } from './bench.js'
import { connectPair, type End } from './pair.js'

const access = AccessFlag.localWrite | AccessFlag.windowBind

/** Binds a window to part of the end's region. @returns its key */
async function bind(end: End, window: MemoryWindow, byteOffset: number, byteLength: number): Promise<number> {
  const remoteKey = nextRemoteKey(window.remoteKey)
  end.send({
    id: 100n,
    opcode: SendOpcode.bindWindow,
    flags: SendFlag.signalled,
    entries: [{ region: end.region, byteOffset, byteLength }],
    remoteAddress: end.region.remoteAddress + BigInt(byteOffset),
    remoteKey,
    window,
    windowAccess: AccessFlag.remoteWrite,
  })
  const [done] = await end.completions.succeed(1)
  assert.equal(done?.opcode, CompletionOpcode.bindWindow)
  return remoteKey
}

/** Voids the key of a window. */
async function invalidate(end: End, key: number): Promise<void> {
  end.send({ id: 101n, opcode: SendOpcode.localInvalidate, flags: SendFlag.signalled, immediate: key })
  assert.equal((await end.completions.succeed(1))[0]?.opcode, CompletionOpcode.localInvalidate)
}

function write(client: End, server: End, remoteKey: number, remoteOffset: number, byteLength: number) {
  client.send({
    id: 1n,
    opcode: SendOpcode.write,
    flags: SendFlag.signalled,
    entries: [{ region: client.region, byteLength }],
    remoteAddress: server.region.remoteAddress + BigInt(remoteOffset),
    remoteKey,
  })
}

export function windowTests(test: DeviceTest): void {
  test('windows are refused where the device has none', async (bench) => {
    const { server, close } = await connectPair(bench)
    if (!server.device.capabilities.memoryWindows) {
      assert.throws(() => server.protectionDomain.allocateMemoryWindow(), { code: 'ERR_NETTS_UNSUPPORTED' })
    }
    close()
  })

  test("a window's key opens its range, until it is invalidated", async (bench) => {
    const { client, server, close } = await connectPair(bench, { server: { access } })
    if (server.device.capabilities.memoryWindows) {
      const window = server.protectionDomain.allocateMemoryWindow()
      const key = await bind(server, window, 4096, 100)
      const written = client.fill(0, 100, 1)
      write(client, server, key, 4096, 100)
      await client.completions.succeed(1)
      assert.deepEqual(server.bytes(4096, 100), written)
      await invalidate(server, key)
      // Behind a request whose key lies where others have immediate data, of which rxe's library allows a bind none.
      const next = server.protectionDomain.allocateMemoryWindow()
      await invalidate(server, await bind(server, next, 4096, 100))
      next.close()
      client.fill(0, 100, 2)
      write(client, server, key, 4096, 100)
      assert.equal((await client.completions.take(1))[0]?.status, CompletionStatus.remoteAccessError)
      assert.deepEqual(server.bytes(4096, 100), written)
      window.close()
    }
    close()
  })

  test('Send with invalidate closes a window of the peer, or is refused where there is none', async (bench) => {
    const { client, server, close } = await connectPair(bench, { server: { access } })
    const { sendWithInvalidate, memoryWindows } = client.device.capabilities
    const send = (immediate: number) =>
      client.send({ id: 2n, opcode: SendOpcode.sendWithInvalidate, flags: SendFlag.signalled, immediate })
    if (!sendWithInvalidate) {
      assert.throws(() => send(1), { code: 'ERR_NETTS_UNSUPPORTED' })
    } else if (memoryWindows) {
      const window = server.protectionDomain.allocateMemoryWindow()
      const key = await bind(server, window, 4096, 100)
      write(client, server, key, 4096, 100)
      await client.completions.succeed(1)
      server.receive({ id: 3n })
      send(key)
      const [received] = await server.completions.succeed(1)
      assert.equal(received?.opcode, CompletionOpcode.receive)
      if (!bench.deviations?.includes('invalidation-untold')) assert.equal(received?.invalidatedKey, key)
      assert.equal(received?.immediate, undefined)
      const [sent] = await client.completions.succeed(1)
      assert.equal(sent?.opcode, CompletionOpcode.send)
      const written = server.bytes(4096, 100)
      client.fill(0, 100, 9)
      write(client, server, key, 4096, 100)
      assert.equal((await client.completions.take(1))[0]?.status, CompletionStatus.remoteAccessError)
      assert.deepEqual(server.bytes(4096, 100), written)
      window.close()
    }
    close()
  })

  test("a key that is no window's cannot be invalidated", async (bench) => {
    const { client, server, close } = await connectPair(bench)
    const { sendWithInvalidate, memoryWindows } = client.device.capabilities
    if (sendWithInvalidate && memoryWindows && !bench.deviations?.includes('any-key-invalidated')) {
      server.receive({ id: 3n })
      client.send({
        opcode: SendOpcode.sendWithInvalidate,
        flags: SendFlag.signalled,
        immediate: server.region.remoteKey,
      })
      const [refused] = await client.completions.take(1)
      assert.notEqual(refused?.status, CompletionStatus.success)
    }
    close()
  })

  test("a window's key opens nothing beside its range", async (bench) => {
    const { client, server, close } = await connectPair(bench, { server: { access } })
    if (server.device.capabilities.memoryWindows) {
      const window = server.protectionDomain.allocateMemoryWindow()
      const key = await bind(server, window, 4096, 100)
      write(client, server, key, 4097, 100)
      const unchecked = bench.deviations?.includes('window-range-unchecked')
      const expected = unchecked ? CompletionStatus.success : CompletionStatus.remoteAccessError
      assert.equal((await client.completions.take(1))[0]?.status, expected)
      window.close()
    }
    close()
  })

  test("a window's key is of no use on another queue pair", async (bench) => {
    const one = await connectPair(bench, { server: { access } })
    const { protectionDomain } = one.server
    const other = await connectPair(bench, { server: { access, protectionDomain } })
    if (one.server.device.capabilities.memoryWindows) {
      const window = protectionDomain.allocateMemoryWindow()
      const key = await bind(one.server, window, 0, 100)
      write(other.client, one.server, key, 0, 100)
      assert.equal((await other.client.completions.take(1))[0]?.status, CompletionStatus.remoteAccessError)
      window.close()
    }
    other.close()
    one.close()
  })
}
