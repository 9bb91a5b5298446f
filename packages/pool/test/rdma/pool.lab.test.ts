/**
 * Pools over RDMA, and several wires on one port, on the lab's devices. What `preferring` does when RDMA can't be had is
 * in `falls.deep.lab.test.ts`, which takes longer.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { listen, preferring } from '@netts/core'
import { sendRecv } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { labGrounds } from './lab.js'
import { runPeer } from './peer.js'
import { poolSuite } from './pool-suite.js'

if (!(await runPeer())) {
  for (const ground of labGrounds()) poolSuite(ground)

  it('listens over TCP alone at an address that no RDMA device serves', async () => {
    const builder = preferring(sendRecv(), tcp())
    const server = await listen(builder, { host: '127.0.0.1', port: 0 })
    assert.deepEqual(
      server.addresses.map(({ wire }) => wire),
      ['tcp'],
    )
    assert.deepEqual(builder.fallbacks[0]!.counts, { ERR_NETTS_UNAVAILABLE: 1 })
    await server.close()
  })
}
