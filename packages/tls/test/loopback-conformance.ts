/** The suite that every driver passes, under TLS over RDMA as the addon speaks it, on the loopback device; and who is refused. */
import { transportConformance } from '@netts/conformance'
import { LOOPBACK_ADDRESS, loopbackEnvironment, loopbackIsMissing, useLoopback } from '@netts/loopback'
import { ring } from '@netts/rdma-ring'
import { sendRecv } from '@netts/rdma-sendrecv'
import { describe, expect, it } from 'vitest'
import { tls } from '../src/index.js'
import { closed, receive, send } from './support.js'
import { mutualTls, optionsOf, startPeer } from './wires.js'

const isMissing = loopbackIsMissing()
const why = isMissing ? ' (skipped: it was not built)' : ''
const options = mutualTls()
if (!isMissing) useLoopback()

const drivers = { sendrecv: sendRecv, ring } as const
export type LoopbackWire = keyof typeof drivers

/** Runs the suite. */
export function loopbackConformance(wire: LoopbackWire): void {
  const build = drivers[wire]
  transportConformance({
    name: `tls over rdma-${wire} on the loopback device${why}`,
    capabilities: { detectsPeerCrash: true, reset: true },
    completionIsArrival: false,
    setup: () => ({
      builder: tls(build(), options.client),
      listenBuilder: tls(build(), options.server),
      listenAddress: () => ({ host: LOOPBACK_ADDRESS, port: 0 }),
      // An address of nobody (RFC 5737), where the loopback device does not answer.
      silentAddress: () => ({ host: '192.0.2.77', port: 4711 }),
      startCrashablePeer: (task) => {
        const own = task.role === 'listen' ? { ...task, address: { host: LOOPBACK_ADDRESS, port: 0 } } : task
        return startPeer(
          { wire, task: own, options: optionsOf(task, options) },
          { ...process.env, ...loopbackEnvironment() },
        )
      },
    }),
    describe: (title, body) => void describe.skipIf(isMissing)(title, body),
    it,
    bulkByteLength: 2 ** 20,
    connections: 30,
    schedules: 6,
  })
}

/** Who has no certificate is refused. */
export function loopbackMutualTls(wire: LoopbackWire): void {
  const build = drivers[wire]
  describe.skipIf(isMissing)(`mutual TLS over rdma-${wire}${why}`, () => {
    it('refuses a client without a certificate, and serves one that has it', async () => {
      const listener = await tls(build(), options.server).listen({ host: LOOPBACK_ADDRESS, port: 0 })
      const { ca, servername } = options.client
      const stranger = await tls(build(), { ca, servername }).connect(listener.address)
      await send(stranger, Buffer.from('from a stranger'))
      expect(await closed(stranger)).toMatchObject({
        code: 'ERR_NETTS_TLS',
        cause: { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' },
      })
      const [near, far] = await Promise.all([
        tls(build(), options.client).connect(listener.address),
        listener.accept(),
      ])
      expect(far!.remoteAddress).toEqual(near.localAddress)
      expect(far!.tls.peerCertificate?.subject).toBe('CN=client')
      await send(near, Buffer.from('from a friend'))
      expect(String(await receive(far!, 13))).toBe('from a friend')
      near.destroy()
      far!.destroy()
      await listener.close()
    })
  })
}
