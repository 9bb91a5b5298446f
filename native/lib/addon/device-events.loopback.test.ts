/** Asynchronous events, and a device that goes and comes back, on the loopback device. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LOOPBACK_ADDRESS, LOOPBACK_DEVICE, loopbackTitle, useLoopback } from '@netts/loopback'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { Bench } from '../../test/device-suite/bench.js'
import { connectPair, type Pair } from '../../test/device-suite/pair.js'
import { listenForMessengers, messengerOf, messengerOptions } from '../../test/endpoint-suite/messenger.js'
import { connectEndpoint } from '../endpoint/connector.js'
import type { Device, DeviceEvent } from '../verbs/device.js'
import { AccessFlag, CompletionStatus, SendFlag, SendOpcode } from '../verbs/layout.js'
import { writeReceive } from '../verbs/records.js'
import { openVerbs } from './open-verbs.js'

const folder = mkdtempSync(join(tmpdir(), 'netts-loopback-'))
const controlPath = join(folder, 'control')
const isThere = useLoopback({ controlPath })
const command = (line: string) => writeFileSync(controlPath, `${line}\n`)

function open(): Bench {
  const verbs = openVerbs()
  return { client: verbs, server: verbs, serverHost: LOOPBACK_ADDRESS, settle: (promise) => promise }
}

function deviceOf({ client }: Bench): Device {
  const device = client.devices().find(({ name }) => name === LOOPBACK_DEVICE)
  assert(device)
  return device
}

/** The next event of this type, after `act`. Whoever else listens hears it as well. */
async function next(device: Device, type: DeviceEvent['type'], act: () => void): Promise<DeviceEvent> {
  // Nothing of a device keeps the process alive.
  const alive = setInterval(() => {}, 1000)
  const { onEvent } = device
  try {
    return await new Promise((resolve) => {
      device.onEvent = (event) => {
        onEvent?.(event)
        if (event.type === type) resolve(event)
      }
      act()
    })
  } finally {
    device.onEvent = onEvent
    clearInterval(alive)
  }
}

/** A Write that the server's region does not allow. */
function writeWithoutPermission({ client, server }: Pair): void {
  client.send({
    opcode: SendOpcode.write,
    flags: SendFlag.signalled,
    entries: [{ region: client.region, byteLength: 8 }],
    remoteAddress: server.region.remoteAddress,
    remoteKey: server.region.remoteKey,
  })
}

describe.skipIf(!isThere)(loopbackTitle(`events of ${LOOPBACK_DEVICE}`), () => {
  afterEach(() => openVerbs().close())
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('a port that goes down and up says so', async () => {
    const device = deviceOf(open())
    const down = await next(device, 'port-error', () => command('port-down'))
    expect(down.portNumber).toBe(1)
    expect(device.ports()[0]?.state).toBe('down')
    await next(device, 'port-active', () => command('port-up'))
    expect(device.ports()[0]?.state).toBe('active')
  })

  it('an access that is not allowed names the queue pair that refused it, and no other', async () => {
    const bench = open()
    const [well, pair] = [await connectPair(bench), await connectPair(bench)]
    const event = await next(deviceOf(bench), 'qp-access-error', () => writeWithoutPermission(pair))
    expect(event.queuePair).toBe(pair.server.queuePair)
    expect(pair.server.queuePair.state).toBe('error')
    expect((await pair.client.completions.take(1))[0]?.status).toBe(CompletionStatus.remoteAccessError)
    expect(well.server.queuePair.state).toBe('ready-to-send')
    pair.close()
    well.close()
  })

  it('an access that is not allowed ends no connection of endpoints, which hear of it', async () => {
    const bench = open()
    const options = messengerOptions('event')
    const { listener, accept, address } = listenForMessengers(bench.server, bench.serverHost, options)
    const [near, far] = await Promise.all([connectEndpoint(bench.client, address, options), accept()])
    const pair = await connectPair(bench)
    await next(deviceOf(bench), 'qp-access-error', () => writeWithoutPermission(pair))
    messengerOf(near).send('not my business')
    expect(await messengerOf(far).messages(1)).toEqual(['not my business'])
    near.close()
    await Promise.all([messengerOf(near).closed, messengerOf(far).closed])
    listener.close()
    pair.close()
  })

  it('a shared receive queue that runs low names itself, once', async () => {
    const bench = open()
    const device = deviceOf(bench)
    const protectionDomain = device.allocateProtectionDomain()
    const shared = protectionDomain.createSharedReceiveQueue({ maxWorkRequests: 4 })
    for (let slot = 0; slot < 3; slot++) writeReceive(shared, slot, { id: BigInt(slot) })
    expect(shared.postReceive(3)).toBe(3)
    const pair = await connectPair(bench, {
      server: { protectionDomain, queuePair: { sharedReceiveQueue: shared } },
    })
    shared.setLimit(2)
    const empty = { opcode: SendOpcode.send, flags: SendFlag.signalled }
    const event = await next(device, 'srq-limit-reached', () => pair.client.send(empty, empty))
    expect(event.sharedReceiveQueue).toBe(shared)
    const last = await next(device, 'last-receive-reached', () => pair.server.queuePair.moveToError())
    expect(last.queuePair).toBe(pair.server.queuePair)
    pair.close()
    shared.close()
    protectionDomain.close()
  })

  it('what is sent to an end that is gone fails once the sender has lost patience', async () => {
    const { client, server, close } = await connectPair(open(), {
      ackTimeout: 8,
      connect: { retryCount: 1 },
    })
    server.queuePair.moveToError()
    const empty = { opcode: SendOpcode.send, flags: SendFlag.signalled }
    client.send({ ...empty, id: 1n }, { ...empty, id: 2n })
    const [first, second] = await client.completions.take(2)
    expect([first?.id, first?.status]).toEqual([1n, CompletionStatus.retryExceeded])
    expect([second?.id, second?.status]).toEqual([2n, CompletionStatus.flushed])
    close()
  })

  it('a fatal error of the device names no object', async () => {
    const event = await next(deviceOf(open()), 'device-fatal', () => command('fatal'))
    expect(event).toEqual({ type: 'device-fatal', name: 'IBV_EVENT_DEVICE_FATAL' })
  })

  it('a device that is removed fails what is on it, and is there again when it returns', async () => {
    const bench = open()
    const device = deviceOf(bench)
    const { client, server, close } = await connectPair(bench)
    server.receive({ id: 7n })
    await next(device, 'device-fatal', () => command('remove'))
    await client.events.expect('device-removal')
    await server.events.expect('device-removal')
    const [flushed] = await server.completions.take(1)
    expect([flushed?.id, flushed?.status]).toEqual([7n, CompletionStatus.flushed])
    expect(() => client.protectionDomain.registerRegion({ byteLength: 1 })).toThrow(/EIO/)
    close()
    bench.client.close()
    expect(openVerbs().devices()).toEqual([])
    openVerbs().close()

    command('return')
    const again = await connectPair(open(), { server: { access: AccessFlag.localWrite } })
    again.server.receive({ id: 8n })
    again.client.send({ opcode: SendOpcode.send, flags: SendFlag.signalled })
    expect((await again.server.completions.succeed(1))[0]?.id).toBe(8n)
    again.close()
  })
})
