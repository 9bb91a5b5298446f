/** A server of a test, in a process of its own. */
import { runPeer } from './peer.js'

await runPeer()
