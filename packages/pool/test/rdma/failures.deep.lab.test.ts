/** Servers that die under a pool, and what `preferring` does when RDMA can't be had, on the lab's devices. */
import { fallSuite } from './fall-suite.js'
import { labGrounds } from './lab.js'
import { runPeer } from './peer.js'
import { killSuite } from './pool-suite.js'

if (!(await runPeer())) {
  for (const ground of labGrounds()) {
    killSuite(ground)
    fallSuite(ground)
  }
}
