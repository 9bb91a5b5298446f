/** The transports that the demonstration knows, one entry each. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address, TransportBuilder } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { tcp } from '@netts/tcp'
import type { Amounts } from './measure.js'

/** One row of the table. */
export interface DemoTransport {
  /** What `--transport` calls it. */
  readonly name: string
  /** What the table calls it. */
  readonly title: string
  /** Whether the server is a process of its own; the mock lives within one. */
  readonly separateProcess: boolean
  /** Where the server listens. */
  readonly address: () => Address
  readonly builder: () => TransportBuilder
  /** Why it can't run on this machine and what to do about it, or `undefined` when it can. */
  readonly unavailable: () => Promise<string | undefined>
  readonly amounts: Amounts
}

// An emulated guest of the lab is some twenty times slower.
const amounts: Amounts =
  process.env.NETTS_LAB === 'guest'
    ? { roundTrips: 500, smallMessages: 20_000, largeMessages: 200 }
    : { roundTrips: 10_000, smallMessages: 1_000_000, largeMessages: 8_000 }
const loopback = () => ({ host: '127.0.0.1', port: 0 })
const available = () => Promise.resolve(undefined)

/** Every transport, in the order of the table. */
export const transports: readonly DemoTransport[] = [
  {
    name: 'tcp',
    title: 'TCP, 127.0.0.1',
    separateProcess: true,
    address: loopback,
    builder: () => tcp(),
    unavailable: available,
    amounts,
  },
  {
    name: 'unix',
    title: 'Unix domain socket',
    separateProcess: true,
    address: () => ({ path: join(tmpdir(), `netts-demo-${process.pid}.sock`) }),
    builder: () => tcp(),
    unavailable: available,
    amounts,
  },
  {
    name: 'mock',
    title: 'mock, in one process',
    separateProcess: false,
    address: loopback,
    builder: mockBuilder(),
    unavailable: available,
    amounts,
  },
]

function mockBuilder(): () => TransportBuilder {
  const network = createMockNetwork()
  const builder = network.builder()
  return () => builder
}
