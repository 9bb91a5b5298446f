/** The transports that the demonstration knows, one entry each. */
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address, TransportBuilder } from '@netts/core'
import { LOOPBACK_ADDRESS } from '@netts/loopback'
import { createMockNetwork } from '@netts/mock'
import { ring } from '@netts/rdma-ring'
import { sendRecv } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { rdmaAvailability } from '@netts/verbs'
import { usesLoopbackProvider } from './loopback-provider.js'
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
  /** Whether it can run over the loopback provider where the machine has no RDMA. */
  readonly needsRdma: boolean
  readonly amounts: Amounts
}

/** An emulated guest of the lab is some twenty times slower, and V8 needs up to 12 s there to compile a hot loop. */
export const isEmulated = process.env.NETTS_LAB === 'guest'

const amounts: Amounts = isEmulated
  ? { warmupMs: 15_000, roundTrips: 500, smallMessages: 20_000, largeMessages: 200 }
  : { warmupMs: 500, roundTrips: 10_000, smallMessages: 1_000_000, largeMessages: 8_000 }
const loopback = () => ({ host: '127.0.0.1', port: 0 })
const available = () => Promise.resolve(undefined)

async function rdmaUnavailable(): Promise<string | undefined> {
  const availability = rdmaAvailability()
  if (!availability.available) {
    return `${availability.message} ${availability.remedy} Or see it in the lab: npm start -- --lab`
  }
  return rdmaHost() === undefined
    ? 'No network interface of this machine has an IPv4 address for RDMA.'
    : undefined
}

/**
 * An address that an RDMA device serves: that of the loopback provider where this process uses it, or the lab's; else the
 * first one that is not the loopback's.
 */
function rdmaHost(): string | undefined {
  if (usesLoopbackProvider()) return LOOPBACK_ADDRESS
  const inLab = JSON.parse(process.env.NETTS_LAB_DEVICES ?? '[]') as { type: string; address: string }[]
  const device = inLab.find(({ type }) => type === 'rxe') ?? inLab[0]
  if (device) return device.address
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return interfaces.find(({ internal, family }) => !internal && family === 'IPv4')?.address
}

/** Every transport, in the order of the table. */
export const transports: readonly DemoTransport[] = [
  {
    name: 'tcp',
    title: 'TCP, 127.0.0.1',
    separateProcess: true,
    address: loopback,
    builder: () => tcp(),
    unavailable: available,
    needsRdma: false,
    amounts,
  },
  {
    name: 'unix',
    title: 'Unix domain socket',
    separateProcess: true,
    address: () => ({ path: join(tmpdir(), `netts-demo-${process.pid}.sock`) }),
    builder: () => tcp(),
    unavailable: available,
    needsRdma: false,
    amounts,
  },
  {
    name: 'rdma-sendrecv',
    title: 'RDMA Send/Recv',
    separateProcess: true,
    address: () => ({ host: rdmaHost() ?? '0.0.0.0', port: 0 }),
    builder: () => sendRecv(),
    unavailable: rdmaUnavailable,
    needsRdma: true,
    amounts: { ...amounts, largeMessages: amounts.largeMessages / 2 },
  },
  {
    name: 'rdma-ring',
    title: 'RDMA Write into a ring',
    separateProcess: true,
    address: () => ({ host: rdmaHost() ?? '0.0.0.0', port: 0 }),
    builder: () => ring(),
    unavailable: rdmaUnavailable,
    needsRdma: true,
    amounts: { ...amounts, largeMessages: amounts.largeMessages / 2 },
  },
  {
    name: 'mock',
    title: 'mock, in one process',
    separateProcess: false,
    address: loopback,
    builder: mockBuilder(),
    unavailable: available,
    needsRdma: false,
    amounts,
  },
]

function mockBuilder(): () => TransportBuilder {
  const network = createMockNetwork()
  const builder = network.builder()
  return () => builder
}
