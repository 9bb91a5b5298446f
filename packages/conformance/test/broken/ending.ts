/** Drivers that are wrong in ending: half-close, disconnect, destroy, crashes. */
import { closeSync, openSync } from 'node:fs'
import { NettsError, type Transport } from '@netts/core'
import type { Defect } from './broken-driver.js'

const madeUp = () => new NettsError('ERR_NETTS_PROTOCOL', 'broken on purpose')

/** Sends after the local end report no capacity instead of throwing. */
function lenient(inner: Transport): Partial<Transport> {
  const or = <T>(nothing: T, send: () => T): T => {
    try {
      return send()
    } catch (error) {
      if ((error as NettsError).code !== 'ERR_NETTS_INVALID_STATE') throw error
      return nothing
    }
  }
  return {
    sendCopy: (data) => or(0, () => inner.sendCopy(data)),
    sendGather: (parts) => or(0, () => inner.sendGather(parts)),
    sendBuffer: (buffer, byteOffset, byteLength) =>
      or(false, () => inner.sendBuffer(buffer, byteOffset, byteLength)),
  }
}

const isLost = (inner: Transport) => inner.error?.code === 'ERR_NETTS_PEER_LOST'
const hasFailed = (inner: Transport) => isLost(inner) || inner.error?.code === 'ERR_NETTS_RESET'

const opened = new Set<number>()

/** Opens a file descriptor and does not close it. */
const leak = () => void opened.add(openSync('/dev/null', 'r'))

/** Closes what the leaking drivers opened. */
export function closeLeaked(): void {
  for (const fd of opened) closeSync(fd)
  opened.clear()
}

const everybody = new Set<Transport>()

export const endingDefects: readonly Defect[] = [
  {
    name: 'takes finish for disconnect',
    transport: (inner) => ({ finish: () => inner.disconnect() }),
    breaks: [
      'when the client finishes, its peer gets all of it, then the end, and may send on',
      'when the server finishes, its peer gets all of it, then the end, and may send on',
    ],
  },
  {
    name: 'says no end when it has not sent anything',
    transport: (inner) => {
      let hasSent = false
      return {
        sendCopy: (data) => {
          hasSent = true
          return inner.sendCopy(data)
        },
        finish: () => {
          if (hasSent) inner.finish()
        },
      }
    },
    breaks: [
      'when the client finishes without having sent anything, its peer gets the end alone',
      'when the server finishes without having sent anything, its peer gets the end alone',
    ],
  },
  {
    name: 'drops what is under way when it finishes',
    transport: (inner) => ({
      finish: () => (inner.sendsInFlight > 0 ? inner.destroy() : inner.finish()),
    }),
    breaks: ['finishing behind data that the reader has not taken delivers it first'],
  },
  {
    name: 'reports a clean end as an error',
    transport: (inner) => ({
      get error() {
        return inner.error ?? (inner.pollDisconnect() ? madeUp() : undefined)
      },
    }),
    breaks: [
      'both sides finishing at the same time close cleanly',
      'both sides disconnecting at the same time close cleanly',
      'disconnecting right after connecting closes cleanly',
      'a transport without sends or reads still closes by disconnect',
    ],
  },
  {
    name: 'takes a send after its own end for no capacity',
    transport: lenient,
    breaks: [
      'finish is idempotent, and sends after it throw ERR_NETTS_INVALID_STATE',
      'disconnect follows finish, is idempotent, and sends after it throw ERR_NETTS_INVALID_STATE',
      'sends after destroy throw ERR_NETTS_INVALID_STATE',
    ],
  },
  {
    name: 'takes disconnect for destroy',
    transport: (inner) => ({ disconnect: () => inner.destroy() }),
    breaks: [
      'what the client sent before it disconnected all arrives',
      'what the server sent before it disconnected all arrives',
      'a slow reader still gets everything that was accepted before a disconnect',
      'disconnecting right after connecting closes cleanly',
    ],
  },
  {
    name: 'keeps input waiting after a disconnect',
    transport: (inner) => ({ disconnect: () => inner.finish() }),
    breaks: ['disconnecting discards what the peer still sends, however much'],
  },
  {
    name: 'does not close when both sides disconnect',
    transport: (inner) => ({
      pollDisconnect: () => inner.error !== undefined && inner.pollDisconnect(),
    }),
    breaks: ['a transport without sends or reads still closes by disconnect'],
  },
  {
    name: 'destroys a little later',
    transport: (inner) => ({ destroy: (error) => queueMicrotask(() => inner.destroy(error)) }),
    breaks: ['destroy closes at once, with ERR_NETTS_DESTROYED or the error given'],
  },
  {
    name: 'replaces the error with a later one',
    transport: (inner) => {
      let latest: NettsError | undefined
      return {
        destroy: (error) => {
          latest = error
          inner.destroy(error)
        },
        get error() {
          return latest ?? inner.error
        },
      }
    },
    breaks: ['destroy is idempotent: the first error stands'],
  },
  {
    name: 'says goodbye politely when it is destroyed',
    transport: (inner) => ({
      destroy: () => inner.disconnect(),
    }),
    breaks: ['the peer of a destroyed idle transport learns it, as an error where the wire can say so'],
  },
  {
    name: 'cannot be destroyed with sends under way',
    transport: (inner) => ({
      destroy: (error) => {
        if (inner.sendsInFlight > 0) throw madeUp()
        inner.destroy(error)
      },
    }),
    breaks: ['sends and receives pending at a destroy reject, each once'],
  },
  {
    name: 'throws on sends when the peer is gone',
    transport: (inner) => ({
      sendCopy: (data) => {
        if (hasFailed(inner)) throw inner.error
        return inner.sendCopy(data)
      },
    }),
    breaks: ['a transport whose peer is gone refuses sends, and throws nothing'],
  },
  {
    name: 'drops what had arrived when the peer fails',
    transport: (inner) => ({ pollRecv: (out) => (hasFailed(inner) ? 0 : inner.pollRecv(out)) }),
    breaks: ['what had arrived before the peer destroyed its side stays readable'],
  },
  {
    name: 'sees no failure while chunks are held',
    transport: (inner) => {
      let held = 0
      return {
        pollRecv: (out) => {
          const count = inner.pollRecv(out)
          held += count
          return count
        },
        repostRecv: (chunkIndex) => {
          inner.repostRecv(chunkIndex)
          held--
        },
        pollDisconnect: () => held === 0 && inner.pollDisconnect(),
      }
    },
    breaks: ['a reset is seen although the whole receive window is held'],
  },
  {
    name: 'is not destroyed once it ends gracefully',
    transport: (inner) => ({
      destroy: (error) => {
        if (inner.state === 'open') inner.destroy(error)
      },
    }),
    breaks: ['destroy works in every state'],
  },
  {
    name: 'takes a crash for a clean end',
    transport: (inner) => ({
      get error() {
        return isLost(inner) ? undefined : inner.error
      },
      get recvEnded() {
        return inner.recvEnded || isLost(inner)
      },
    }),
    breaks: [
      'a client that crashes while idle ends the connection',
      'a server that crashes while idle ends the connection',
      'what a client sent before it crashed arrives first',
      'what a server sent before it crashed arrives first',
    ],
  },
  {
    name: 'never notices a failure',
    transport: (inner) => ({
      pollDisconnect: () => !hasFailed(inner) && inner.pollDisconnect(),
      get state() {
        return hasFailed(inner) ? 'open' : inner.state
      },
      get error() {
        return hasFailed(inner) ? undefined : inner.error
      },
    }),
    breaks: [
      'a client that crashes while idle ends the connection',
      'a client that crashes with sends under way fails them, and nothing leaks',
      'a server that crashes with sends under way fails them, and nothing leaks',
      'a peer that is destroyed in mid-message is an error, never a short message',
    ],
  },
  {
    name: 'fails every connection when one peer crashes',
    transport: (inner) => {
      everybody.add(inner)
      return {
        pollDisconnect: () => {
          if (isLost(inner)) for (const other of everybody) other.destroy()
          return inner.pollDisconnect()
        },
      }
    },
    breaks: ['a crash leaves other connections of the listener alone'],
  },
  {
    name: 'leaks a descriptor with each connection',
    transport: () => {
      leak()
      return {}
    },
    breaks: ['connections that are used and closed'],
  },
  {
    name: 'leaks a descriptor with each destroy',
    transport: (inner) => ({
      destroy: (error) => {
        leak()
        inner.destroy(error)
      },
    }),
    breaks: ['connections that are destroyed in mid-transfer'],
  },
  {
    name: 'leaks a descriptor with each failed attempt',
    builder: (inner) => ({
      connect: (address, options) =>
        inner.connect(address, options).catch((error: unknown) => {
          leak()
          throw error
        }),
    }),
    breaks: ['attempts that are refused', 'attempts that are aborted'],
  },
  {
    name: 'leaks a descriptor with each listener',
    listener: () => {
      leak()
      return {}
    },
    breaks: ['listeners that are opened and closed, with a connection nobody accepted'],
  },
]
