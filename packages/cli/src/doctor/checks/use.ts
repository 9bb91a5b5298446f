/** How well RDMA works: connections of this machine to itself, and the error counters of its devices. */
import { meaningOf } from '../counters.js'
import type { Facts } from '../facts.js'
import { type Finding, findingsOf } from '../finding.js'

const connection = findingsOf('connection')
const counted = findingsOf('counters')

export function checkConnections({ devices }: Facts): Finding[] {
  const tried = devices.flatMap((device) => device.selfConnections.map((result) => ({ device, result })))
  if (tried.length === 0) return [connection.skipped('there is no address to connect to')]
  return tried.map(({ device, result: { address, error, roundTripMicroseconds } }) => {
    if (error === undefined) {
      return connection.ok(
        `${address} over ${device.name}: messages of 64 bytes and 1 MiB came back as they were ` +
          `(64 bytes in ${roundTripMicroseconds!.toFixed(0)} µs)`,
      )
    }
    // Some iWARP adapters work, but cannot connect to themselves.
    const say = device.transport === 'iwarp' && !device.isSoftware ? connection.warning : connection.problem
    return say(
      `${address} over ${device.name} cannot be connected to from here: ${error}`,
      'Fix the problems above first. If there are none, try between two hosts: "netts doctor --serve" there, and ' +
        '"netts doctor --peer HOST" here.',
    )
  })
}

export function checkCounters({ devices }: Facts): Finding[] {
  if (devices.length === 0) return [counted.skipped('there is no device with counters')]
  return devices.flatMap((device) => {
    const name = (key: string) => key.replace(/^\d+\//, '')
    const rose = Object.entries(device.rose)
    if (rose.length > 0) {
      return rose.map(([key, rise]) =>
        counted.warning(
          `${name(key)} of ${device.name} rose by ${rise} while it was tried: ${meaningOf(name(key))}`,
          'Look at it while the real traffic runs: "rdma statistic show", "ethtool -S".',
        ),
      )
    }
    const before = device.ports.flatMap(({ counters }) =>
      Object.entries(counters).filter(([key, value]) => value > 0 && meaningOf(key) !== undefined),
    )
    if (before.length > 0) {
      const what = before.map(([key, value]) => `${key} ${value} (${meaningOf(key)})`)
      return [
        counted.note(`since it was made, ${device.name} has counted ${what.join(', ')}; none of it rose now`),
      ]
    }
    return device.ports.some(({ counters }) => Object.keys(counters).length > 0)
      ? [counted.ok(`${device.name} has counted no loss, repeats or errors`)]
      : [counted.note(`${device.name} has no counters`)]
  })
}
