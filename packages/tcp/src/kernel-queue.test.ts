/** What the kernel says of its send queues. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { kernelQueueBytes, queueIn } from './kernel-queue.js'

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D431 01 0002A300:00000000 01:00000014 00000000     0        0 2 4 0 20 4 30 10 -1
   2: 0200007F:1F90 0100007F:D431 01 00000007:00000000 00:00000000 00000000     0        0 3 4 0 20 4 30 10 -1
`
const TABLE_6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:D431 01 00000010:00000000 00:00000000
   1: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:D431 01 00000020:00000000 00:00000000
`

describe('the send queue of a connection', () => {
  const ports = { local: 8080, remote: 54_321 }

  it('is found in the table by both of its ends', () => {
    const remote = { host: '127.0.0.1', port: ports.remote }
    expect(queueIn(TABLE, { host: '127.0.0.1', port: ports.local }, remote)).toBe(0x2a300)
    expect(queueIn(TABLE, { host: '127.0.0.2', port: ports.local }, remote)).toBe(7)
    expect(queueIn(TABLE, { host: '127.0.0.3', port: ports.local }, remote)).toBe(0)
    expect(queueIn('', { host: '127.0.0.1', port: ports.local }, remote)).toBe(0)
  })

  it('is found for IPv6, mapped addresses included', () => {
    const at = (host: string) => queueIn(TABLE_6, { host, port: ports.local }, { host, port: ports.remote })
    expect(at('::1')).toBe(16)
    expect(at('::ffff:127.0.0.1')).toBe(32)
  })

  it.runIf(process.platform === 'linux')('is what the peer has not acknowledged', async () => {
    const server = createServer((socket) => socket.pause()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await once(client, 'connect')
    onTestFinished(() => {
      client.destroy()
      server.close()
    })
    const local = { host: client.localAddress!, port: client.localPort! }
    const remote = { host: client.remoteAddress!, port: client.remotePort! }
    expect(await kernelQueueBytes(local, remote)).toBe(0)
    client.write(Buffer.alloc(2 ** 25))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await kernelQueueBytes(local, remote)).toBeGreaterThan(0)
  })
})
