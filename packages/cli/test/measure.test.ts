/** `netts ping`, `echo`, `bench`, and `doctor` with `--peer` and `--serve`, as an operator starts them. */
import { once } from 'node:events'
import net from 'node:net'
import { loopbackIsMissing } from '@netts/loopback'
import { afterEach, describe, expect, it } from 'vitest'
import { endAll, netts } from './netts-process.js'

afterEach(endAll)

const isMissing = loopbackIsMissing()
const why = isMissing ? ' (skipped: the loopback device was not built)' : ''

describe.each([
  { scheme: 'tcp', skipped: false },
  { scheme: 'sendrecv', skipped: isMissing },
  { scheme: 'ring', skipped: isMissing },
])('over $scheme', ({ scheme, skipped }) => {
  it.skipIf(skipped)(`ping and bench measure an echo${skipped ? why : ''}`, async () => {
    const echo = await netts(['echo', `${scheme}://127.0.0.1:0`])
    const [, address] = await echo.until(/echoing at (\S+)/)
    const ping = await netts(['ping', address!, '--count', '3', '--interval', '0'])
    const bench = await netts([
      'bench',
      address!,
      '--sizes',
      '1,100000',
      '--duration',
      '20',
      '--json',
      '--quiet',
    ])

    expect(await ping.ended, ping.printed.stderr).toBe(0)
    expect(ping.printed.stdout).toMatch(
      /^connected to .* in [\d.]+ ms; 64 bytes a message\n1: .*\n2: .*\n3: /,
    )
    expect(ping.printed.stdout).toMatch(/3 of 3 came back: at least .*, half within .*, at most .*/)

    expect(await bench.ended, bench.printed.stderr).toBe(0)
    expect(bench.printed.stderr).toBe('')
    const { rows } = JSON.parse(bench.printed.stdout)
    expect(rows.map(({ bytes }: { bytes: number }) => bytes)).toEqual([1, 100_000])
    for (const row of rows) {
      expect(row.bytesPerSecond).toBeCloseTo(row.messagesPerSecond * row.bytes)
      expect(row.roundTripMicroseconds.p99).toBeGreaterThanOrEqual(row.roundTripMicroseconds.p50)
    }

    echo.child.kill('SIGTERM')
    expect(await echo.ended).toBe(0)
    // Clients that are done end well.
    expect(echo.printed.stderr).toBe('')
  })
})

describe('a peer that is no echo', () => {
  async function misbehaving(answer: (socket: net.Socket, data: Buffer) => void): Promise<string> {
    const server = net.createServer((socket) =>
      socket.on('error', () => {}).on('data', (data) => answer(socket, data)),
    )
    server.listen(0, '127.0.0.1').unref()
    await once(server, 'listening')
    return `tcp://127.0.0.1:${(server.address() as net.AddressInfo).port}`
  }

  it('is found out by what it sends', async () => {
    const address = await misbehaving((socket, data) => {
      const changed = Buffer.from(data)
      changed[changed.length - 1]! ^= 1
      socket.write(changed)
    })
    const ping = await netts(['ping', address])
    expect(await ping.ended).toBe(1)
    expect(ping.printed.stderr).toMatch(
      /the answer of 64 bytes differs from the message .*ERR_NETTS_PROTOCOL/,
    )
  })

  it('is not waited for longer than --timeout', async () => {
    const address = await misbehaving(() => {})
    for (const command of ['ping', 'bench']) {
      const { ended, printed } = await netts([command, address, '--timeout', '200'])
      expect(await ended, printed.stdout).toBe(1)
      expect(printed.stderr).toMatch(/ERR_NETTS_(ABORTED|TIMEOUT)/)
    }
  })
})

describe('netts doctor', () => {
  it.skipIf(isMissing)(`tries every wire to another doctor${why}`, async () => {
    const server = await netts(['doctor', '--serve', '127.0.0.1:0'])
    const [, address] = await server.until(/serving doctors at (\S+);/)
    const { ended, printed } = await netts(['doctor', '--peer', address!, '--json'])
    expect(await ended, printed.stderr).toBe(0)
    const { works, facts } = JSON.parse(printed.stdout)
    expect(works).toBe(true)
    expect(facts.wires.map(({ wire }: { wire: string }) => wire)).toEqual(['tcp', 'sendrecv', 'ring'])
    for (const wire of facts.wires) {
      expect(wire).toMatchObject({
        connect: { failed: false },
        roundTrips: { failed: false },
        toPeer: { failed: false },
        fromPeer: { failed: false },
      })
    }
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
  })

  it('without RDMA there says so of every wire that needs it', async () => {
    const none = { NETTS_IBVERBS_LIB: '/nowhere/libibverbs.so.1' }
    const server = await netts(['doctor', '--serve', '127.0.0.1:0'], none)
    const [, address] = await server.until(/serving doctors at (\S+);/)
    const { ended, printed } = await netts(['doctor', '--peer', address!], none)
    expect(await ended).toBe(1)
    expect(printed.stdout).toMatch(/✓ tcp +connected in/)
    expect(printed.stdout).toMatch(
      /✗ ring +not tried: the address 127\.0\.0\.1 of this host is on no RDMA device/,
    )
    expect(printed.stdout).toContain('Not every wire works.')
  })

  it('a stranger at the control port ends his own connection alone', async () => {
    const server = await netts(['doctor', '--serve', '127.0.0.1:0'])
    const [, host, port] = await server.until(/serving doctors at (\S+):(\d+);/)
    const stranger = net.connect(Number(port), host)
    stranger.write(Buffer.from([0, 0, 0, 5, ...Buffer.from('hello')]))
    await new Promise<void>((resolve) => stranger.on('error', () => {}).once('close', () => resolve()))
    expect(server.child.exitCode).toBe(null)
    server.child.kill('SIGTERM')
    expect(await server.ended).toBe(0)
  })

  it('says why there is none, and ends with status 1', async () => {
    const { ended, printed } = await netts(['doctor'], { NETTS_IBVERBS_LIB: '/nowhere/libibverbs.so.1' })
    expect(await ended).toBe(1)
    expect(printed.stdout).toMatch(/✗ libraries +libibverbs or librdmacm cannot be loaded: \/nowhere/)
    expect(printed.stdout).toMatch(/→ Install rdma-core: on Debian and Ubuntu/)
    expect(printed.stdout).toContain('RDMA does not work here.')
  })
})
