/** What `preferring` does when RDMA can't be had, on the lab's devices, at every moment of the handshake. */
import { fallSuite } from './fall-suite.js'
import { labGrounds } from './lab.js'
import { runPeer } from './peer.js'

if (!(await runPeer())) for (const ground of labGrounds()) fallSuite(ground)
