/** Drivers whose faults only show to what stands on them: to deadlines, to flushes, to whoever lends them memory. */
import { type BufferPool, createBufferPool, NettsError, type PooledBuffer, type Transport } from '@netts/core'
import { type BufferSlot, takeSlot } from '@netts/core/driver'
import type { Defect } from './broken-driver.js'

/** `inner` with some members replaced, and the others as they are. */
function like<T extends object>(inner: T, replaced: object): T {
  return new Proxy(inner, {
    get(target, name) {
      if (name in replaced) return Reflect.get(replaced, name)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A pool without a reserve for anybody. */
function unshared(pool: BufferPool): BufferPool {
  return {
    domain: pool.domain,
    get maxByteLength() {
      return pool.maxByteLength
    },
    get stats() {
      return pool.stats
    },
    alloc: (byteLength) => pool.alloc(byteLength),
    tryAlloc: (byteLength) => pool.tryAlloc(byteLength),
    allocAsync: (byteLength, options) => pool.allocAsync(byteLength, options),
  }
}

/** Counts progress where there is none. */
function alwaysMoving(inner: Transport): Partial<Transport> {
  let looks = 0
  const moving = (bytes: number) => (bytes > 0 ? bytes + (++looks % 2) : 0)
  return {
    get queuedBytes() {
      return moving(inner.queuedBytes)
    },
    unacknowledgedBytes: () => moving(inner.queuedBytes),
  }
}

/** Gives up a peer that it has not heard of for a while, without looking whether it has. */
function impatient(inner: Transport): Partial<Transport> {
  const giveUp = () => inner.destroy(new NettsError('ERR_NETTS_PEER_LOST', 'broken on purpose'))
  let timer = setTimeout(giveUp, 50)
  timer.unref()
  return {
    pollRecv: (out) => {
      const count = inner.pollRecv(out)
      if (count > 0) {
        clearTimeout(timer)
        timer = setTimeout(giveUp, 50)
        timer.unref()
      }
      return count
    },
  }
}

/** Reads the memory of a send some time after it was accepted, and takes nothing for zeros. */
function lateReading(inner: Transport): Partial<Transport> {
  const queue: { slot: BufferSlot; begin: number; byteLength: number }[] = []
  let waker: (() => void) | undefined
  const drain = () => {
    for (let first = queue[0]; first && inner.state === 'open'; first = queue[0]) {
      const { slot, begin, byteLength } = first
      const isGone = slot.slab.byteLength === 0
      const bytes = isGone ? new Uint8Array(byteLength) : slot.slab.subarray(begin, begin + byteLength)
      if (inner.sendsInFlight > 0 || inner.sendCopy(bytes) === 0) return
      queue.shift()
      slot.free()
    }
  }
  inner.waker = () => {
    drain()
    waker?.()
  }
  return {
    sendCopy: (data) => (queue.length > 0 ? 0 : inner.sendCopy(data)),
    sendGather: (parts) => (queue.length > 0 ? 0 : inner.sendGather(parts)),
    sendBuffer: (buffer, byteOffset = 0, byteLength = buffer.byteLength - byteOffset) => {
      const slot = takeSlot(buffer)
      queue.push({ slot, begin: slot.byteOffset + byteOffset, byteLength })
      drain()
      return true
    },
    get waker() {
      return waker
    },
    set waker(callback) {
      waker = callback
    },
  }
}

export const messageDefects: readonly Defect[] = [
  {
    name: 'knows of nothing that is queued',
    transport: () => ({ queuedBytes: 0 }),
    breaks: ['queuedBytes says what was accepted and not taken, and falls to 0'],
  },
  {
    name: 'has something queued when it is closed',
    transport: (inner) => {
      let last = 0
      return {
        get queuedBytes() {
          if (inner.state !== 'closed') last = inner.queuedBytes
          return last
        },
      }
    },
    breaks: ['queuedBytes is 0 once closed'],
  },
  {
    name: 'reports progress that there is not',
    transport: alwaysMoving,
    breaks: ['a peer that takes nothing for stallTimeoutMs ends the connection; an idle one does not'],
  },
  {
    name: 'takes a busy program for a silent peer',
    transport: impatient,
    breaks: [
      'a busy program loses no connection, idle or not',
      'a busy program does not time out a message whose rest has arrived',
      'a slow reader loses no message, whatever waits here',
    ],
  },
  {
    name: 'reports sends as complete when it has accepted them',
    transport: (inner) => {
      let accepted = 0
      return {
        sendCopy: (data) => {
          const count = inner.sendCopy(data)
          if (count > 0) accepted++
          return count
        },
        sendBuffer: (buffer, byteOffset, byteLength) => {
          const isAccepted = inner.sendBuffer(buffer, byteOffset, byteLength)
          if (isAccepted) accepted++
          return isAccepted
        },
        pollSendCompletion: () => {
          // So that the waker goes on.
          inner.pollSendCompletion()
          const completed = accepted
          accepted = 0
          return completed
        },
      }
    },
    breaks: ['flush resolves when the sends before it have settled, and nothing is queued'],
  },
  {
    name: 'calls what was cancelled by its own name',
    builder: (inner) => ({
      connect: (address, options) =>
        inner.connect(address, options).catch((error: Error) => {
          error.name = 'NettsError'
          throw error
        }),
    }),
    breaks: ['what a signal cancels rejects as AbortError, or as TimeoutError by a deadline'],
  },
  {
    name: 'listens to a signal once for each accept',
    listener: (inner) => ({
      accept: (options) => {
        options?.signal?.addEventListener('abort', () => {})
        return inner.accept(options)
      },
    }),
    breaks: ['10000 operations may wait for one signal, without a warning'],
  },
  {
    name: 'tells its own side no end',
    transport: () => ({ recvEnded: false }),
    breaks: ['a side that only sends learns that its peer has finished, and may send on'],
  },
  {
    name: 'has buffers that are disposed of once',
    transport: (inner) => {
      const tryAlloc = (byteLength: number): PooledBuffer | undefined => {
        const buffer = inner.bufferPool.tryAlloc(byteLength)
        return buffer && like(buffer, { [Symbol.dispose]: () => buffer.release() })
      }
      return { bufferPool: like(inner.bufferPool, { tryAlloc }) }
    },
    breaks: ['disposing of a buffer that was sent, or of a lease that was released, does nothing'],
  },
  {
    name: 'reads memory when it is gone',
    transport: lateReading,
    breaks: ['memory that goes away while its send waits is an error, never other bytes'],
  },
  {
    name: 'lets a few connections take all the send memory',
    setting: {
      limits: {
        maxSendSize: 1024,
        recvWindow: 4096,
        sendSlots: 4,
        recvSlots: 8,
        bufferPool: unshared(createBufferPool({ classes: [{ byteLength: 1024, count: 32 }] })),
      },
    },
    breaks: ['many connections whose peers do not read leave another one its memory'],
  },
]
