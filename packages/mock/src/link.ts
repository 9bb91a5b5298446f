/** A mock connection as its network sees it: both ends, what they sent, and the strings to pull. */
import type { Address, BufferPool } from '@netts/core'
import { type Clock, sharePool } from '@netts/core/driver'
import { chaosOf, type MockFaults, type MockSideFaults, SendFaults } from './faults.js'
import type { MockLimits } from './limits.js'
import { Pipe } from './pipe.js'
import { Random } from './random.js'
import { Recorder } from './recorder.js'
import { MockTransport } from './transport.js'
import type { Turns } from './turns.js'

/** One side of a mock connection. */
export interface MockSide {
  /** What this side's sends accepted, from the beginning, up to the network's `recordByteLength`. */
  readonly sent: Buffer
  /** How many bytes this side's sends accepted in all. */
  readonly sentByteLength: number
  /** Nothing that this side sends arrives, until {@link resume}. */
  stall(): void
  /** Ends a stall, also one of `stallAfterBytes`. */
  resume(): void
  /** This side crashes now: the peer gets `ERR_NETTS_PEER_LOST`; what was not delivered is lost. */
  crash(): void
  /** This side is gone now, but its kernel closes for it: the peer sees a clean end. */
  end(): void
}

/** A connection within a mock network, for scripts and assertions. */
export interface MockLink {
  /** Counts the network's attempts to connect from 0: chaos depends on it and the seed alone. */
  readonly index: number
  /** Where the client connected to. */
  readonly address: Address
  /** The side that connected. */
  readonly client: MockSide
  /** The side that accepted. */
  readonly server: MockSide
}

/** What one end brings along. */
export interface LinkEnd {
  readonly address: Address
  readonly limits: MockLimits
  readonly bufferPool: BufferPool
}

/** What a link needs of its network. */
export interface LinkEnvironment {
  readonly seed: number
  readonly clock: Clock
  readonly turns: Turns
  readonly recordByteLength: number
}

/** Both transports of a new connection, and its handle. */
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
