/** Drivers that are wrong in sending and completing. */
import type { PooledBuffer, Transport } from '@netts/core'
import type { Defect } from './broken-driver.js'

/** Sends what `change` makes of it. */
const changed = (inner: Transport, change: (bytes: Buffer) => Uint8Array): Partial<Transport> => ({
  sendBuffer: (buffer, byteOffset = 0, byteLength = buffer.byteLength - byteOffset) => {
    if (byteLength < 1) return inner.sendBuffer(buffer, byteOffset, byteLength)
    const bytes = buffer.bytes.subarray(byteOffset, byteOffset + byteLength)
    const before = bytes.slice()
    bytes.set(change(Buffer.from(before)))
    const accepted = inner.sendBuffer(buffer, byteOffset, byteLength)
    if (!accepted) bytes.set(before)
    return accepted
  },
  sendCopy: (data) => inner.sendCopy(data.byteLength === 0 ? data : change(Buffer.from(data))),
  sendGather: (parts) => {
    const bytes = Buffer.concat(parts)
    return bytes.byteLength === 0 ? inner.sendGather(parts) : inner.sendCopy(change(bytes))
  },
})

const isMisuse = (inner: Transport) => inner.state === 'finished' || inner.state === 'disconnecting'

/** `undefined` for one that was released, which is the inner driver's to refuse. */
const bytesOf = (buffer: PooledBuffer): Uint8Array | undefined => {
  try {
    return buffer.bytes
  } catch {
    return undefined
  }
}

export const sendingDefects: readonly Defect[] = [
  {
    name: 'alters the last byte of a send',
    transport: (inner) =>
      changed(inner, (bytes) => {
        const last = Math.min(bytes.byteLength, inner.maxSendSize) - 1
        bytes[last] = bytes[last]! ^ 1
        return bytes
      }),
    breaks: [
      'sendCopy delivers every size byte for byte',
      'sendGather delivers every size byte for byte',
      'messages of every size arrive whole, in order, in both directions',
      'a lease shows the message in place until it is released',
      'aborting a send that waits sends nothing of it',
      'cancelling a recv loses no message',
      'everything sent before a close is delivered before the end',
      'many connections at the same time keep their bytes apart',
    ],
  },
  {
    name: 'loses a byte of each large send',
    transport: (inner) => {
      const shortened = (accepted: number) => (accepted > 1000 ? accepted + 1 : accepted)
      return { sendCopy: (data) => shortened(inner.sendCopy(data.subarray(0, inner.maxSendSize - 1))) }
    },
    breaks: [
      'sendCopy delivers every size byte for byte',
      'both directions carry bulk data at the same time, byte for byte',
    ],
  },
  {
    name: 'claims to have taken more than maxSendSize',
    transport: (inner) => ({
      sendCopy: (data) => (inner.sendCopy(data) > 0 ? data.byteLength : 0),
      sendGather: (parts) =>
        inner.sendGather(parts) > 0 ? parts.reduce((sum, part) => sum + part.byteLength, 0) : 0,
    }),
    breaks: ['sendCopy takes no more than maxSendSize', 'sendGather takes no more than maxSendSize'],
  },
  {
    name: 'takes empty data for nothing to do',
    transport: (inner) => ({
      sendCopy: (data) => (data.byteLength === 0 ? 0 : inner.sendCopy(data)),
      sendGather: (parts) => (parts.every((part) => part.byteLength === 0) ? 0 : inner.sendGather(parts)),
    }),
    breaks: [
      'sendCopy refuses empty data with ERR_NETTS_INVALID_ARGUMENT',
      'sendGather refuses empty data with ERR_NETTS_INVALID_ARGUMENT',
    ],
  },
  {
    name: 'gathers slices in the wrong order',
    transport: (inner) => ({ sendGather: (parts) => inner.sendGather([...parts].reverse()) }),
    breaks: ['sendGather skips empty slices and keeps the order of the others'],
  },
  {
    name: 'reads data after sendCopy returned',
    transport: (inner) => ({
      sendCopy: (data) => {
        if (data.byteLength === 0 || isMisuse(inner)) return inner.sendCopy(data)
        if (inner.sendsInFlight > 2) return 0
        queueMicrotask(() => inner.state === 'open' && inner.sendCopy(data))
        return Math.min(data.byteLength, inner.maxSendSize)
      },
    }),
    breaks: ["data is the caller's again once sendCopy returned"],
  },
  {
    name: 'swaps two small sends now and then',
    transport: (inner) => {
      let kept: Buffer | undefined
      let sends = 0
      return {
        sendCopy: (data) => {
          if (data.byteLength > 100 || data.byteLength === 0) return inner.sendCopy(data)
          if (kept) {
            const accepted = inner.sendCopy(data)
            if (accepted > 0) {
              inner.sendCopy(kept)
              kept = undefined
            }
            return accepted
          }
          if (++sends % 10 !== 0) return inner.sendCopy(data)
          kept = Buffer.from(data)
          return data.byteLength
        },
      }
    },
    breaks: ['many small sends arrive in order'],
  },
  {
    name: 'reverses a send now and then',
    transport: (inner) => {
      let sends = 0
      return changed(inner, (bytes) => (++sends % 7 === 0 ? bytes.reverse() : bytes))
    },
    breaks: ['any number of concurrent sends and receives keep their order', 'schedule 1 of 10'],
  },
  {
    name: 'reports every completion twice',
    transport: (inner) => ({ pollSendCompletion: () => inner.pollSendCompletion() * 2 }),
    breaks: ['each accepted send completes once'],
  },
  {
    name: 'forgets completions',
    transport: (inner) => ({ pollSendCompletion: () => Math.max(0, inner.pollSendCompletion() - 1) }),
    breaks: ['each accepted send completes once'],
  },
  {
    name: 'has no capacity as long as nobody asks for completions',
    transport: (inner) => {
      let unreported = 0
      return {
        sendCopy: (data) => {
          if (unreported >= 16) return 0
          const accepted = inner.sendCopy(data)
          if (accepted > 0) unreported++
          return accepted
        },
        pollSendCompletion: () => {
          const completed = inner.pollSendCompletion()
          unreported -= completed
          return completed
        },
      }
    },
    breaks: ['a writer that never asks for completions is not held up'],
  },
  {
    name: 'takes the offset of a pooled buffer for one less',
    transport: (inner) => ({
      sendBuffer: (buffer, byteOffset = 0, byteLength) =>
        inner.sendBuffer(buffer, Math.max(0, byteOffset - 1), byteLength ?? buffer.byteLength - byteOffset),
    }),
    breaks: [
      'sendBuffer delivers every size byte for byte',
      'the default range is the whole buffer, and an offset alone means the rest',
    ],
  },
  {
    name: 'sends pooled buffers behind what was copied later',
    transport: (inner) => ({
      sendBuffer: (buffer, byteOffset, byteLength) => {
        if (inner.sendsInFlight > 2) return false
        queueMicrotask(() => inner.state === 'open' && inner.sendBuffer(buffer, byteOffset, byteLength))
        return true
      },
    }),
    breaks: ['sendBuffer and sendCopy keep their order among each other'],
  },
  {
    name: 'copies a pooled buffer and leaves it with the caller',
    transport: (inner) => ({
      sendBuffer: (buffer, byteOffset = 0, byteLength) =>
        inner.sendCopy(buffer.bytes.subarray(byteOffset, byteOffset + (byteLength ?? buffer.byteLength))) > 0,
    }),
    breaks: [
      "an accepted buffer is the transport's, and returns to its pool once it was sent",
      'a message in a pooled buffer arrives, and the buffer returns to its pool',
    ],
  },
  {
    name: 'keeps a pooled buffer for ever',
    transport: (inner) => ({
      sendBuffer: (buffer, byteOffset, byteLength) => {
        const accepted = inner.sendBuffer(buffer, byteOffset, byteLength)
        if (accepted) inner.bufferPool.tryAlloc(1)
        return accepted
      },
    }),
    breaks: [
      "an accepted buffer is the transport's, and returns to its pool once it was sent",
      'a message in a pooled buffer arrives, and the buffer returns to its pool',
      'buffers of a destroyed transport return to their pool',
      'destroying with sends and chunks under way leaves nothing behind',
      'a client that crashes with sends under way fails them, and nothing leaks',
      'a server that crashes with sends under way fails them, and nothing leaks',
    ],
  },
  {
    name: 'releases a pooled buffer that it refused',
    transport: (inner) => ({
      sendBuffer: (buffer, byteOffset, byteLength) => {
        const accepted = inner.sendBuffer(buffer, byteOffset, byteLength)
        if (!accepted) buffer.release()
        return accepted
      },
    }),
    breaks: ["a refused buffer stays the caller's"],
  },
  {
    name: 'clips a range to the buffer',
    transport: (inner) => ({
      sendBuffer: (buffer, byteOffset = 0, byteLength) => {
        const offset = Math.max(0, Math.min(Math.trunc(byteOffset) || 0, buffer.byteLength - 1))
        return inner.sendBuffer(
          buffer,
          offset,
          Math.max(1, Math.min(byteLength || 1, buffer.byteLength - offset)),
        )
      },
    }),
    breaks: ['a range that is empty, outside of the buffer or too long is refused'],
  },
  {
    name: 'takes a released buffer for no capacity',
    transport: (inner) => ({
      sendBuffer: (buffer, byteOffset, byteLength) => {
        try {
          return inner.sendBuffer(buffer, byteOffset, byteLength)
        } catch {
          return false
        }
      },
    }),
    breaks: ['a released buffer is refused with ERR_NETTS_BUFFER_RELEASED'],
  },
  {
    name: 'sends from foreign memory',
    transport: (inner) => ({
      sendBuffer: (buffer, byteOffset, byteLength) => {
        const pretending = new Proxy(buffer, {
          get: (target, name) => {
            if (name === 'pool') return inner.bufferPool
            const value: unknown = Reflect.get(target, name, target)
            return typeof value === 'function' ? value.bind(target) : value
          },
        }) as PooledBuffer
        return inner.sendBuffer(pretending, byteOffset, byteLength)
      },
    }),
    breaks: ['a buffer of another domain is refused with ERR_NETTS_FOREIGN_BUFFER'],
  },
  {
    name: 'overwrites a buffer once it was sent',
    transport: (inner) => {
      const sent: Uint8Array[] = []
      return {
        sendBuffer: (buffer, byteOffset, byteLength) => {
          const view = isMisuse(inner) ? undefined : bytesOf(buffer)
          const accepted = inner.sendBuffer(buffer, byteOffset, byteLength)
          if (accepted && view) sent.push(view)
          return accepted
        },
        pollSendCompletion: () => {
          const completed = inner.pollSendCompletion()
          for (const bytes of inner.sendsInFlight === 0 ? sent.splice(0) : []) bytes.fill(0)
          return completed
        },
      }
    },
    breaks: ['the bytes of a buffer are read, and never changed'],
  },
]
