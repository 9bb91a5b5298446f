/** Findings about a peer that no lab brings about. Those that it does are in `test/peer.deep.hosts.lab.test.ts`. */
import { expect, it } from 'vitest'
import type { PeerFacts, WireFacts } from './facts.js'
import { judgePeer } from './judge.js'
import type { Greeting } from './messages.js'

const end = (address: string): Greeting => ({
  version: 1,
  host: 'node-7',
  nettsVersion: '1.0.0',
  kernelRelease: '6.1.0',
  nodeVersion: 'v20.19.0',
  route: {
    address,
    interface: 'eth0',
    mtuBytes: 9000,
    device: 'irdma0',
    transport: 'iwarp',
    rdmaMtuBytes: 4096,
    gids: [],
    rdmaAddresses: [address],
  },
})
const works: WireFacts = {
  wire: 'tcp',
  connect: { failed: false, tookMs: 1 },
  roundTrips: { failed: false, count: 9, least: 1, p50: 1, p99: 1, most: 1 },
  toPeer: { failed: false, bytesPerSecond: 1e9 },
  fromPeer: { failed: false, bytesPerSecond: 1e9 },
  losses: { here: {}, there: {}, tcpHere: 0, tcpThere: 0 },
}
const facts = (...wires: WireFacts[]): PeerFacts => ({
  peer: '10.0.0.2',
  connectMs: 1,
  here: end('10.0.0.1'),
  there: end('10.0.0.2'),
  wires,
})
const failed = (code: string) => ({ failed: true as const, code, message: 'no' })

it('iWARP that cannot connect is no matter of UDP', () => {
  const wire: WireFacts = { wire: 'ring', connect: failed('ERR_NETTS_TIMEOUT') }
  const [found] = judgePeer(facts(works, wire)).filter(({ check }) => check === 'ring')
  expect(found).toMatchObject({ verdict: 'problem', message: 'failed at connecting: no' })
  expect(found?.remedy).toContain('TCP connections to any port')
})

it('a peer that refuses is looked at by its own doctor', () => {
  const wire: WireFacts = { wire: 'ring', connect: failed('ERR_NETTS_REJECTED') }
  const [found] = judgePeer(facts(works, wire)).filter(({ check }) => check === 'ring')
  expect(found?.remedy).toContain('on both hosts')
})

it('TCP below iWARP is counted with it', () => {
  const losses = { here: {}, there: {}, tcpHere: 1, tcpThere: 0 }
  const found = judgePeer(facts(works, { ...works, wire: 'ring', losses })).filter(
    ({ check }) => check === 'lost',
  )
  expect(found).toMatchObject([
    { verdict: 'warning', message: 'with ring, TCP sent 1 segment again from here' },
  ])
})
