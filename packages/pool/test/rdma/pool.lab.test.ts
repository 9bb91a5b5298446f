/**
 * Pools over RDMA, and several wires on one port, on the lab's devices. Servers that die, and wires that can't be had, are
 * in `failures.deep.lab.test.ts`, which takes longer.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { it } from 'node:test'
import { listen, preferring } from '@netts/core'
import { sendRecv } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { labGrounds } from './lab.js'
import { poolSuite } from './pool-suite.js'

for (const ground of labGrounds()) poolSuite(ground)

const skip =
  process.env.NETTS_LAB === 'guest' ? false : 'it makes a network interface, for which it needs a guest'

it('listens over TCP alone at an address that no RDMA device serves', { skip }, async () => {
  const ip = (...args: string[]) => execFileSync('ip', args)
  ip('link', 'add', 'plain0', 'type', 'dummy')
  ip('addr', 'add', '10.97.0.1/24', 'dev', 'plain0')
  ip('link', 'set', 'plain0', 'up')
  const builder = preferring(sendRecv(), tcp())
  const server = await listen(builder, { host: '10.97.0.1', port: 0 })
  assert.deepEqual(
    server.addresses.map(({ wire }) => wire),
    ['tcp'],
  )
  assert.deepEqual(builder.fallbacks[0]!.counts, { ERR_NETTS_UNAVAILABLE: 1 })
  await server.close()
})
