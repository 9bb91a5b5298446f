/** A peer of the conformance suite on the loopback device, in a process of its own, so that it can be killed. */
import { runLoopbackPeer } from '@netts/rdma-suite/loopback-conformance'
import { tested } from './tested.js'

await runLoopbackPeer(tested)
