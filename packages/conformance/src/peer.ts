/** The program of a crashable peer, for a separate process that the fixture kills. */
import type { Address, TransportBuilder } from '@netts/core'
import { Endpoint } from './harness/endpoint.js'
import { Pattern } from './harness/pattern.js'
import type { PeerTask } from './options.js'

/** After how long without capacity a peer gives up, in milliseconds. */
const PEER_DEADLINE_MS = 30_000

/**
 * Carries out a {@link PeerTask}: connects or listens, sends its bytes, and then neither reads nor ends. Call it in the
 * process that {@link ConformanceFixture.startCrashablePeer} starts. It resolves when the bytes were accepted; the open
 * transport then keeps the process alive until it is killed. Rejects if it cannot connect, listen or send.
 *
 * @param builder the driver under test
 * @param onListening called with the address, if the role is to listen
 */
export async function runPeerTask(
  builder: TransportBuilder,
  task: PeerTask,
  onListening: (address: Address) => void = () => {},
): Promise<void> {
  const { role, address, byteLength } = task
  if (role === 'connect') {
    await speak(
      new Endpoint(await builder.connect(address), PEER_DEADLINE_MS, new Pattern(1), new Pattern(2)),
      byteLength,
    )
    return
  }
  const listener = await builder.listen(address)
  onListening(listener.address)
  const transport = await listener.accept()
  // It needs only one connection.
  await listener.close()
  if (!transport) throw new Error('the listener was closed before a client connected')
  await speak(new Endpoint(transport, PEER_DEADLINE_MS, new Pattern(2), new Pattern(1)), byteLength)
}

async function speak(end: Endpoint, byteLength: number): Promise<void> {
  if (byteLength > 0) await end.send(byteLength)
}
