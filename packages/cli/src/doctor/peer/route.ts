/** Finds the facts about this end of the route to a peer. */
import { hostname, release } from 'node:os'
import { version } from '../../../package.json'
import type { Counters } from '../facts.js'
import { probeInterfaces } from '../probe/interfaces.js'
import { probeSysfsDevices, readDeviceCounters } from '../probe/sysfs-devices.js'
import { tcpRetransmissions } from '../probe/tcp-counters.js'
import { probeVerbs } from '../probe/verbs.js'
import { type Greeting, type HostCounters, PEER_VERSION, type RouteEnd } from './messages.js'

/** The facts about this host, and about the local address of a connection. */
export function greeting(localAddress: string): Greeting {
  return {
    version: PEER_VERSION,
    host: hostname(),
    nettsVersion: version,
    kernelRelease: release(),
    nodeVersion: process.version,
    route: routeEnd(localAddress),
  }
}

function routeEnd(local: string): RouteEnd {
  // An IPv4 address on an IPv6 socket.
  const address = local.replace(/^::ffff:(?=\d+\.)/i, '')
  const interfaces = probeInterfaces()
  const { addresses, devices } = probeVerbs(interfaces)
  const below = interfaces.find((one) => one.addresses.includes(address))
  const name = [...addresses].find(([, local]) => local.includes(address))?.[0]
  const device = devices.find((one) => one.name === name)
  const gids = probeSysfsDevices()
    .filter((one) => one.name === name)
    .flatMap(({ ports }) => ports.flatMap((port) => port.gids))
  return {
    address,
    interface: below?.name,
    mtuBytes: below?.mtuBytes,
    device: name,
    transport: device?.transport,
    rdmaMtuBytes: device?.ports().find(({ state }) => state === 'active')?.activeMtuBytes,
    gids: gids.filter((gid) => gid.address === address).map(({ index, type }) => `GID ${index}: ${type}`),
    rdmaAddresses: [...addresses.values()].flat(),
  }
}

/** The counters of this host now. */
export function hostCounters(device: string | undefined): HostCounters {
  const none: Counters = {}
  return {
    device: device === undefined ? none : readDeviceCounters(device),
    tcpRetransmissions: tcpRetransmissions(),
  }
}
