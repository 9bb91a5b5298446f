/** A mock connection as tests see it: both sides, the bytes that they sent, and faults on demand. */
import type { Address, BufferPool } from '@netts/core'
import { type Clock, sharePool } from '@netts/core/driver'
import { chaosOf, type MockFaults, type MockSideFaults, SendFaults } from './faults.js'
import type { MockLimits } from './limits.js'
import { Pipe } from './pipe.js'
import { Random } from './random.js'
import { Recorder } from './recorder.js'
import { MockTransport } from './transport.js'
import type { Turns } from './turns.js'

/** One side of a mock connection, for assertions and faults on demand. */
export interface MockSide {
  /**
   * The bytes that this side's sends accepted, from the beginning, up to the network's `recordByteLength`; headers of
   * messages included. Each read makes a copy.
   */
  readonly sent: Buffer
  /** How many bytes this side's sends accepted in total, also beyond `recordByteLength`. */
  readonly sentByteLength: number
  /** From now on nothing that this side sends arrives, until {@link resume}. */
  stall(): void
  /** Ends a stall, also one of `stallAfterBytes`. */
  resume(): void
  /**
   * This side crashes now: the peer gets `ERR_NETTS_PEER_LOST`, bytes that were not delivered are lost, and its own transport
   * fails with `ERR_NETTS_DESTROYED`. No effect on a closed transport.
   */
  crash(): void
  /**
   * The process of this side is killed now, and its kernel closes the connection: the peer sees a clean end, bytes that were
   * not delivered are lost, and its own transport fails with `ERR_NETTS_DESTROYED`. No effect on a closed transport.
   */
  end(): void
}

/** A connection within a mock network, for assertions and faults on demand. */
export interface MockLink {
  /** The number of its attempt to connect in the network, from 0. Random faults depend on it and on the seed. */
  readonly index: number
  /** The address that the client connected to. */
  readonly address: Address
  /** The side that connected. */
  readonly client: MockSide
  /** The side that accepted. */
  readonly server: MockSide
}

/** The configuration of one end. */
export interface LinkEnd {
  readonly address: Address
  readonly limits: MockLimits
  readonly bufferPool: BufferPool
}

/** The parts of the network that a link uses. */
export interface LinkEnvironment {
  readonly seed: number
  readonly clock: Clock
  readonly turns: Turns
  readonly recordByteLength: number
}

/** Makes both transports of a new connection, and its {@link MockLink}. */
export function createLink(
  environment: LinkEnvironment,
  index: number,
  clientEnd: LinkEnd,
  serverEnd: LinkEnd,
  faults: MockFaults,
): { link: MockLink; client: MockTransport; server: MockTransport } {
  const { seed, clock, turns, recordByteLength } = environment
  const chaos = chaosOf(faults)
  const clientLimits = narrowed(clientEnd.limits, faults.client)
  const serverLimits = narrowed(serverEnd.limits, faults.server)
  const pipe = (sender: MockLimits, receiver: MockLimits, of: MockSideFaults | undefined, side: 0 | 1) =>
    new Pipe(
      turns,
      { ...receiver, sendSlots: sender.sendSlots },
      new SendFaults(of ?? {}, chaos, Random.derive(seed, index * 2 + side)),
    )
  const toServer = pipe(clientLimits, serverLimits, faults.client, 0)
  const toClient = pipe(serverLimits, clientLimits, faults.server, 1)
  const transport = (near: LinkEnd, far: LinkEnd, limits: MockLimits, farLimits: MockLimits) => {
    const recorder = new Recorder(recordByteLength)
    const [outgoing, incoming] = near === clientEnd ? [toServer, toClient] : [toClient, toServer]
    const maxSendSize = Math.min(limits.maxSendSize, farLimits.recvWindow)
    const end = new MockTransport({
      localAddress: near.address,
      remoteAddress: far.address,
      bufferPool: sharePool(near.bufferPool, maxSendSize),
      maxSendSize,
      recvWindow: limits.recvWindow,
      outgoing,
      incoming,
      clock,
      turns,
      recorder,
    })
    return { end, side: sideOf(end, outgoing, recorder) }
  }
  const client = transport(clientEnd, serverEnd, clientLimits, serverLimits)
  const server = transport(serverEnd, clientEnd, serverLimits, clientLimits)
  const link = { index, address: serverEnd.address, client: client.side, server: server.side }
  return { link, client: client.end, server: server.end }
}

function narrowed(limits: MockLimits, faults: MockSideFaults = {}): MockLimits {
  return {
    maxSendSize: faults.maxSendSize ?? limits.maxSendSize,
    sendSlots: faults.sendSlots ?? limits.sendSlots,
    recvSlots: faults.recvSlots ?? limits.recvSlots,
    recvWindow: faults.recvWindow ?? limits.recvWindow,
  }
}

function sideOf(transport: MockTransport, outgoing: Pipe, recorder: Recorder): MockSide {
  return {
    get sent() {
      return recorder.bytes
    },
    get sentByteLength() {
      return recorder.byteLength
    },
    stall: () => outgoing.stall(),
    resume: () => outgoing.resume(),
    crash: () => transport.onFault('crash'),
    end: () => transport.onFault('end'),
  }
}
