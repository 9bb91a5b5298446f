/** Mutual TLS over each RDMA driver on the kernel's devices: an echo, and a client that is refused. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ring } from '@netts/rdma-ring'
import { sendRecv } from '@netts/rdma-sendrecv'
import { labDevices } from '@netts/rdma-suite/lab-devices'
import { tls } from '../src/index.js'
import { closed, receive, send } from './support.js'
import { mutualTls } from './wires.js'

const options = mutualTls()

for (const device of labDevices()) {
  for (const build of [sendRecv, ring]) {
    describe(`mutual TLS over ${build().name} on ${device.name}`, () => {
      it('echoes, and refuses a client without a certificate', { timeout: 60_000 }, async () => {
        const listener = await tls(build(), options.server).listen({ host: device.address, port: 0 })
        const { ca, servername } = options.client
        const stranger = await tls(build(), { ca, servername }).connect(listener.address)
        assert.equal((await closed(stranger))?.code, 'ERR_NETTS_TLS')
        const [near, far] = await Promise.all([
          tls(build(), options.client).connect(listener.address),
          listener.accept(),
        ])
        assert.equal(far!.tls.peerCertificate?.subject, 'CN=client')
        const bytes = Buffer.alloc(300_000, 'netts')
        void send(near, bytes)
        const there = await receive(far!, bytes.length)
        void send(far!, there)
        assert.ok((await receive(near, bytes.length)).equals(bytes))
        near.disconnect()
        await receive(far!)
        assert.ok(far!.recvEnded)
        far!.disconnect()
        assert.equal(await closed(near), undefined)
        await listener.close()
      })
    })
  }
}
