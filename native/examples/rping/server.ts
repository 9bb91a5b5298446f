/**
 * A server for one `rping -c`:
 *
 *     node --import tsx native/examples/rping/server.ts ADDRESS PORT
 */
import { openVerbs, SendOpcode } from '@netts/verbs'
import { createPeer, expectEvent } from './peer.js'

/** rping's largest `-S`. */
const MAX_SIZE = 65_536

/** Serves one client. @returns how many rounds it played */
export async function rpingServer(host: string, port: number, listening?: () => void): Promise<number> {
  const listener = openVerbs().createCmId()
  listener.bindAddress({ host, port })
  listener.listen(1)
  listening?.()
  const { id } = await expectEvent(listener, 'connect-request')
  const peer = createPeer(id, MAX_SIZE)
  id.accept({ responderResources: 1, initiatorDepth: 1 })
  await expectEvent(id, 'established')
  const disconnected = expectEvent(id, 'disconnected')
  let rounds = 0
  for (;;) {
    const source = await peer.heard()
    if (source === undefined) break
    await peer.transfer(SendOpcode.read, source)
    const text = Buffer.from(peer.ping.buffer, peer.ping.byteOffset, 32).toString('latin1')
    if (!text.startsWith(`rdma-ping-${rounds}: `)) throw new Error(`round ${rounds} begins with ${text}`)
    await peer.tell('answer')
    const sink = await peer.heard()
    if (sink === undefined) throw new Error('the client left in the middle of a round')
    await peer.transfer(SendOpcode.write, sink)
    await peer.tell('answer')
    rounds++
  }
  await disconnected
  return rounds
}

const [address, port] = process.argv.slice(2)
if (import.meta.filename === process.argv[1] && address !== undefined) {
  const rounds = await rpingServer(address, Number(port), () =>
    console.log(`listening on ${address}:${port}`),
  )
  console.log(`${rounds} rounds`)
  openVerbs().close()
}
