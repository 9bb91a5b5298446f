/** What a crashable peer does: for a process of its own, which the fixture then kills. */
import type { Address, TransportBuilder } from '@netts/core'
import { Endpoint } from './harness/endpoint.js'
import { Pattern } from './harness/pattern.js'
import type { PeerTask } from './options.js'

/** How long a peer waits for capacity before it gives up, in milliseconds. */
const PEER_DEADLINE_MS = 30_000

/**
 * Does what a {@link PeerTask} says: connects or listens, sends its bytes, and then neither reads nor ends. The
 * process stays for as long as the caller keeps it.
 *
 * @param onListening told the address, when the role is to listen
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
  // One connection is all it is for, and an open listener would keep its process alive.
  await listener.close()
  if (!transport) throw new Error('the listener closed before anybody connected')
  await speak(new Endpoint(transport, PEER_DEADLINE_MS, new Pattern(2), new Pattern(1)), byteLength)
}

async function speak(end: Endpoint, byteLength: number): Promise<void> {
  if (byteLength > 0) await end.send(byteLength)
}
