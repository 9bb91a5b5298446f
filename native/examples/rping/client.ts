/**
 * A client of `rping -s`:
 *
 *     node --import tsx native/examples/rping/client.ts ADDRESS PORT [COUNT] [SIZE]
 */
import { openVerbs } from '@netts/verbs'
import { createPeer, expectEvent } from './peer.js'

/** Plays `count` rounds of `size` bytes. @throws Error when what came back is not what was sent */
export async function rpingClient(host: string, port: number, count: number, size: number): Promise<void> {
  const id = openVerbs().createCmId()
  id.resolveAddress({ destination: { host, port }, timeoutMs: 2000 })
  await expectEvent(id, 'address-resolved')
  id.resolveRoute(2000)
  await expectEvent(id, 'route-resolved')
  const peer = createPeer(id, size)
  id.connect({ responderResources: 1, initiatorDepth: 1 })
  await expectEvent(id, 'established')
  for (let round = 0; round < count; round++) {
    const text = `rdma-ping-${round}: `
    peer.ping.forEach((_, at) => {
      peer.ping[at] = at < text.length ? text.charCodeAt(at) : 65 + ((round + at) % 58)
    })
    // rping's strings end with a zero byte.
    peer.ping[size - 1] = 0
    peer.pong.fill(0)
    await peer.tell('ping')
    await peer.heard()
    await peer.tell('pong')
    await peer.heard()
    if (Buffer.compare(peer.ping, peer.pong) !== 0)
      throw new Error(`round ${round}: the pong is not the ping`)
  }
  id.disconnect()
  await expectEvent(id, 'disconnected')
}

const [address, port, count = '10', size = '100'] = process.argv.slice(2)
if (import.meta.filename === process.argv[1] && address !== undefined) {
  await rpingClient(address, Number(port), Number(count), Number(size))
  console.log(`${count} rounds of ${size} bytes, each verified`)
  openVerbs().close()
}
