/** Drivers that are wrong in receiving and in flow control. */
import type { RecvCompletion, Transport } from '@netts/core'
import { completions } from '../../src/harness/endpoint.js'
import type { Defect, Side } from './broken-driver.js'

/** Takes chunks out of the transport early; `next` hands them on. */
class Prefetched {
  readonly #inner: Transport
  readonly #chunks: RecvCompletion[] = []

  constructor(inner: Transport) {
    this.#inner = inner
  }

  fetch(): void {
    for (let [entry] = completions(1); entry && this.#inner.pollRecv([entry]) > 0; [entry] = completions(1)) {
      this.#chunks.push(entry)
    }
  }

  handOut(out: RecvCompletion[]): number {
    const chunks = this.#chunks.splice(0, out.length)
    for (const [i, chunk] of chunks.entries()) Object.assign(out[i]!, chunk)
    return chunks.length
  }
}

/** Queues whatever it is given, and sends it when there is capacity. */
function unbounded(inner: Transport): Partial<Transport> {
  const queue: Buffer[] = []
  let waker: (() => void) | undefined
  const drain = () => {
    while (queue[0] && inner.state === 'open') {
      const accepted = inner.sendCopy(queue[0])
      if (accepted === 0) return
      if (accepted === queue[0].byteLength) queue.shift()
      else queue[0] = queue[0].subarray(accepted)
    }
  }
  inner.waker = () => {
    drain()
    waker?.()
  }
  return {
    sendCopy: (data) => {
      const bytes = Buffer.from(data.subarray(0, inner.maxSendSize))
      queue.push(bytes)
      drain()
      return bytes.byteLength
    },
    get sendsInFlight() {
      return inner.sendsInFlight
    },
    get waker() {
      return waker
    },
    set waker(callback) {
      waker = callback
    },
  }
}

/** Hands chunks over within the same turn of the event loop. */
function sameTurn(): (inner: Transport, side: Side) => Partial<Transport> {
  interface End {
    readonly chunks: Uint8Array[]
    waker: (() => void) | undefined
  }
  const ends: Record<Side, End> = {
    client: { chunks: [], waker: undefined },
    server: { chunks: [], waker: undefined },
  }
  return (_, side) => {
    const [near, far] = [ends[side], ends[side === 'client' ? 'server' : 'client']]
    const handedOut: Uint8Array[] = []
    let completed = 0
    return {
      sendCopy: (data) => {
        far.chunks.push(data.slice())
        completed++
        process.nextTick(() => far.waker?.())
        return data.byteLength
      },
      pollSendCompletion: () => {
        const reported = completed
        completed = 0
        return reported
      },
      get sendsInFlight() {
        return completed
      },
      pollRecv: (out) => {
        const chunks = near.chunks.splice(0, out.length)
        for (const [i, chunk] of chunks.entries()) {
          out[i]!.chunkIndex = handedOut.push(chunk) - 1
          out[i]!.byteLength = chunk.byteLength
        }
        return chunks.length
      },
      recvBuf: (chunkIndex) => handedOut[chunkIndex]!,
      repostRecv: () => {},
      get waker() {
        return near.waker
      },
      set waker(callback) {
        near.waker = callback
      },
    }
  }
}

let unreadEverywhere = 0

export const receivingDefects: readonly Defect[] = [
  {
    name: 'loses what does not fit into the array',
    transport: (inner) => ({
      pollRecv: (out) => Math.min(inner.pollRecv([...out, ...completions(8)]), out.length),
    }),
    breaks: ['what does not fit into the array stays queued'],
  },
  {
    name: 'puts objects of its own into the array',
    transport: (inner) => ({
      pollRecv: (out) => {
        const fresh = completions(out.length)
        const count = inner.pollRecv(fresh)
        out.splice(0, count, ...fresh.slice(0, count))
        return count
      },
    }),
    breaks: ['pollRecv fills the objects that the caller gave, from the beginning'],
  },
  {
    name: 'reuses the memory of another chunk on release',
    transport: (inner) => {
      const held: number[] = []
      return {
        pollRecv: (out) => {
          const count = inner.pollRecv(out)
          held.push(...out.slice(0, count).map(({ chunkIndex }) => chunkIndex))
          return count
        },
        repostRecv: (chunkIndex) => {
          inner.repostRecv(chunkIndex)
          const at = held.indexOf(chunkIndex)
          if (at >= 0) held.splice(at, 1)
          if (held[0] !== undefined) inner.recvBuf(held[0]).fill(0)
        },
      }
    },
    breaks: ['chunks released in any order stay intact until their own release'],
  },
  {
    name: 'takes any index for a release',
    transport: (inner) => ({
      repostRecv: (chunkIndex) => {
        try {
          inner.repostRecv(chunkIndex)
        } catch {
          // Broken on purpose.
        }
      },
    }),
    breaks: ['an index that is not handed out is refused with ERR_NETTS_INVALID_ARGUMENT'],
  },
  {
    name: 'unmaps received chunks when it closes',
    transport: (inner) => ({
      recvBuf: (chunkIndex) => {
        const bytes = inner.recvBuf(chunkIndex)
        return inner.pollDisconnect() ? new Uint8Array(bytes.byteLength) : bytes
      },
    }),
    breaks: [
      'chunks handed out stay readable after the transport closed',
      'chunks held across the end of both directions stay intact',
      'what the peer was handed before a destroy is a prefix of what was sent, and stays intact',
    ],
  },
  {
    name: 'says the end before the last chunks',
    transport: (inner) => {
      const prefetched = new Prefetched(inner)
      return {
        pollRecv: (out) => {
          prefetched.fetch()
          return prefetched.handOut(out)
        },
        get recvEnded() {
          prefetched.fetch()
          return inner.recvEnded
        },
      }
    },
    breaks: ['recvEnded is false as long as a chunk was not handed out'],
  },
  {
    name: 'queues sends without bounds',
    transport: unbounded,
    breaks: [
      'a writer is refused while its reader does not read, and goes on when it does',
      'a slow reader gets everything, and bounds what its writer may have under way',
      'beyond it both wait, timers still fire, and one side receiving frees the other',
    ],
  },
  {
    name: 'receives without bounds',
    transport: (inner) => {
      const chunks = new Map<number, Uint8Array>()
      let next = 0
      return {
        pollRecv: (out) => {
          const count = inner.pollRecv(out)
          for (const entry of out.slice(0, count)) {
            chunks.set(next, inner.recvBuf(entry.chunkIndex).slice())
            inner.repostRecv(entry.chunkIndex)
            entry.chunkIndex = next++
          }
          return count
        },
        recvBuf: (chunkIndex) => chunks.get(chunkIndex)!,
        repostRecv: (chunkIndex) => {
          chunks.delete(chunkIndex)
        },
      }
    },
    breaks: ['no more than recvWindow bytes are handed out unreleased, and a release brings more'],
  },
  {
    name: 'promises more with recvWindow than it takes',
    transport: (inner) => ({ recvWindow: inner.recvWindow * 16 }),
    breaks: [
      'both sides sending recvWindow bytes before either receives never stall',
      'alternating sends and receives within recvWindow never stall',
    ],
  },
  {
    name: 'sends again after a refusal only once it has received something',
    transport: (inner) => {
      let isStuck = false
      return {
        sendCopy: (data) => {
          const accepted = isStuck ? 0 : inner.sendCopy(data)
          isStuck = accepted === 0
          return accepted
        },
        sendGather: (parts) => {
          const accepted = isStuck ? 0 : inner.sendGather(parts)
          isStuck = accepted === 0
          return accepted
        },
        sendBuffer: (buffer, byteOffset, byteLength) => {
          const accepted = !isStuck && inner.sendBuffer(buffer, byteOffset, byteLength)
          isStuck = !accepted
          return accepted
        },
        pollRecv: (out) => {
          const count = inner.pollRecv(out)
          if (count > 0) isStuck = false
          return count
        },
      }
    },
    breaks: [
      'beyond it both wait, timers still fire, and one side receiving frees the other',
      'beyond it both sends stay pending, timers fire, and receiving on one side frees the other',
      'the waker is called when there is capacity again after a refused send',
    ],
  },
  {
    name: 'never lets the event loop turn',
    transport: sameTurn(),
    breaks: ['timers fire although both ends answer each other as fast as they can'],
  },
  {
    name: 'lets all connections share one window',
    transport: (inner) => ({
      sendCopy: (data) => {
        if (unreadEverywhere > inner.recvWindow) return 0
        const accepted = inner.sendCopy(data)
        unreadEverywhere += accepted
        return accepted
      },
      repostRecv: (chunkIndex) => {
        unreadEverywhere -= inner.recvBuf(chunkIndex).byteLength
        inner.repostRecv(chunkIndex)
      },
      destroy: (error) => {
        unreadEverywhere = 0
        inner.destroy(error)
      },
    }),
    breaks: ['a stuck connection does not hold up another one'],
  },
]
