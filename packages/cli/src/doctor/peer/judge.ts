/** Judges the facts about a peer. */
import { formatMicroseconds, formatRate } from '../../output/format.js'
import { meaningOf } from '../counters.js'
import type { Counters } from '../facts.js'
import { type Finding, findingsOf, list } from '../finding.js'
import type { Attempt, PeerFacts, WireFacts } from './facts.js'
import type { Greeting } from './messages.js'

const peer = findingsOf('peer')
const route = findingsOf('route')
const mtu = findingsOf('mtu')
const lost = findingsOf('lost')

export function judgePeer(facts: PeerFacts): Finding[] {
  return [
    peer.ok(
      `${facts.peer} answers: ${facts.there.host}, @netts/cli ${facts.there.nettsVersion}, Node.js ${facts.there.nodeVersion}, kernel ${facts.there.kernelRelease} ` +
        `(connected over TCP in ${facts.connectMs.toFixed(1)} ms)`,
    ),
    ...(facts.here.nettsVersion === facts.there.nettsVersion
      ? []
      : [peer.note(`this host has another version: @netts/cli ${facts.here.nettsVersion}`)]),
    describeEnd('here', facts.here),
    describeEnd('there', facts.there),
    ...judgeMtu(facts),
    ...facts.wires.flatMap((wire) => judgeWire(wire, facts)),
    ...judgeLosses(facts),
  ]
}

function describeEnd(side: string, { route: end }: Greeting): Finding {
  const where = `${side}: ${end.address} on ${end.interface ?? 'no interface'}, MTU ${end.mtuBytes ?? '?'}`
  if (end.device === undefined) {
    return route.warning(
      `${where}, without an RDMA device`,
      end.rdmaAddresses.length > 0
        ? `Use an address that is on one: ${list(end.rdmaAddresses)}.`
        : 'Run "netts doctor" there: it says why there is none.',
    )
  }
  const gids = end.gids.length > 0 ? `, ${end.gids.join(', ')}` : ''
  return route.ok(`${where}; ${end.device}, RDMA MTU ${end.rdmaMtuBytes}${gids}`)
}

function judgeMtu({ here, there }: PeerFacts): Finding[] {
  const [one, other] = [here.route, there.route]
  if (one.mtuBytes === undefined || other.mtuBytes === undefined || one.mtuBytes === other.mtuBytes) return []
  const small = one.mtuBytes < other.mtuBytes ? here : there
  return [
    mtu.warning(
      `the MTU is ${one.mtuBytes} here and ${other.mtuBytes} there: packets of one end are too large for the other`,
      `Give both ends the same: "ip link set ${small.route.interface} mtu ${Math.max(one.mtuBytes, other.mtuBytes)}" on ` +
        `${small.host}, if every switch between allows it.`,
    ),
  ]
}

type Step = readonly [name: string, attempt: Attempt<object> | undefined]

function judgeWire(wire: WireFacts, facts: PeerFacts): Finding[] {
  const { note, ok, problem } = findingsOf(wire.wire)
  if (wire.skipped !== undefined)
    return [problem(`not tried: ${wire.skipped}`, 'Run "netts doctor" on that host.')]
  const { connect, roundTrips, toPeer, fromPeer } = wire
  if (
    connect?.failed === false &&
    roundTrips?.failed === false &&
    toPeer?.failed === false &&
    fromPeer?.failed === false
  ) {
    return [
      ok(
        `connected in ${connect.tookMs.toFixed(1)} ms; 64 bytes there and back in ${formatMicroseconds(roundTrips.p50)} ` +
          `(half), ${formatMicroseconds(roundTrips.p99)} (99 %); 4 MiB: ${formatRate(toPeer.bytesPerSecond)} to the ` +
          `peer, ${formatRate(fromPeer.bytesPerSecond)} from it`,
      ),
    ]
  }
  const steps: Step[] = [
    ['connecting', connect],
    ['64 bytes there and back', roundTrips],
    ['4 MiB to the peer', toPeer],
    ['4 MiB from the peer', fromPeer],
  ]
  const worked = steps.filter(([, attempt]) => attempt?.failed === false).map(([name]) => name)
  const failed = steps.flatMap(([name, attempt]) => (attempt?.failed ? [`${name}: ${attempt.message}`] : []))
  const message = `failed at ${failed.join('; at ')}`
  return [
    problem(message, remedyFor(wire, facts)),
    ...(worked.length > 0 ? [note(`worked: ${list(worked)}`)] : []),
  ]
}

/** Codes of steps without an answer. */
const SILENCE = /^ERR_NETTS_(TIMEOUT|ABORTED|PEER_LOST|CONNECT_FAILED|RESET|VERBS)$/

function remedyFor(wire: WireFacts, { here, there, wires }: PeerFacts): string {
  const tcp = wires.find((one) => one.wire === 'tcp')
  const tcpWorks = [tcp?.connect, tcp?.roundTrips, tcp?.toPeer, tcp?.fromPeer].every(
    (one) => one?.failed === false,
  )
  const { connect, roundTrips } = wire
  const isRoce = wire.wire !== 'tcp' && here.route.transport === 'infiniband'
  if (connect?.failed && !SILENCE.test(connect.code)) return 'Run "netts doctor" on both hosts.'
  if (connect?.failed || roundTrips?.failed) {
    if (!isRoce) return 'Let TCP connections to any port of the peer through the firewalls between.'
    return (
      `TCP ${tcpWorks ? 'works' : 'connects'} along this route and RDMA does not: let UDP port 4791, which RoCE v2 uses, ` +
      'through the firewalls of both hosts and between, and look whether both ends have a GID of RoCE v2 for their address.'
    )
  }
  const [one, other] = [here.route.mtuBytes, there.route.mtuBytes]
  const why =
    one !== other
      ? `Small messages work and large ones do not, and the MTUs of both ends differ (${one} and ${other}): make them the same.`
      : `Small messages work and large ones do not: something between the hosts has an MTU below ${one}, or drops packets. ` +
        `Try "ping -M do -s ${(one ?? 1500) - 28} ${there.route.address}", and lower the MTU of both ends, or raise that of ` +
        'the switches.'
  return why
}

function judgeLosses({ wires, here, there }: PeerFacts): Finding[] {
  const findings = wires.flatMap(({ wire, losses }) => {
    if (losses === undefined) return []
    // RoCE runs over UDP.
    const isTcp = wire === 'tcp' || here.route.transport === 'iwarp'
    const said = [
      ...counted('here', here.route.device, losses.here),
      ...counted('there', there.route.device, losses.there),
      ...(isTcp && losses.tcpHere > 0 ? [`TCP sent ${segments(losses.tcpHere)} again from here`] : []),
      ...(isTcp && losses.tcpThere > 0 ? [`TCP sent ${segments(losses.tcpThere)} again from there`] : []),
    ]
    return said.length === 0
      ? []
      : [
          lost.warning(
            `with ${wire}, ${said.join('; ')}`,
            'Look for full queues and bad cables along the way ("ethtool -S", the counters of the switches); RoCE wants ' +
              'priority flow control or ECN.',
          ),
        ]
  })
  const tried = wires.some(({ losses }) => losses !== undefined)
  return findings.length > 0 || !tried ? findings : [lost.ok('both hosts counted no loss')]
}

const segments = (count: number) => `${count} segment${count === 1 ? '' : 's'}`

function counted(side: string, device: string | undefined, counters: Counters): string[] {
  return Object.entries(counters).map(([key, rise]) => {
    const name = key.replace(/^\d+\//, '')
    return `${name} of ${device} ${side} rose by ${rise} (${meaningOf(name)})`
  })
}
