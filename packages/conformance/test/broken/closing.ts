/** Drivers that are wrong in what a disconnect waits for, in what they keep after it, and in what throws. */
import { type DisconnectOptions, NettsError, type RecvCompletion, type Transport } from '@netts/core'
import { completions } from '../../src/harness/endpoint.js'
import type { Defect } from './broken-driver.js'

const late = () => new NettsError('ERR_NETTS_TIMEOUT', 'broken on purpose')

/** Takes everything out of the transport before `end`, and hands it out behind it. */
function keeping(inner: Transport): Partial<Transport> {
  const kept: RecvCompletion[] = []
  const keep = () => {
    for (let [entry] = completions(1); entry && inner.pollRecv([entry]) > 0; [entry] = completions(1)) {
      kept.push(entry)
    }
  }
  return {
    disconnect: (options) => {
      keep()
      inner.disconnect(options)
    },
    destroy: (error) => {
      keep()
      inner.destroy(error)
    },
    pollRecv: (out) => {
      const chunks = kept.splice(0, out.length)
      for (const [i, chunk] of chunks.entries()) Object.assign(out[i]!, chunk)
      return chunks.length > 0 ? chunks.length : inner.pollRecv(out)
    },
  }
}

export const closingDefects: readonly Defect[] = [
  {
    name: "waits for the peer's end before a disconnect is done",
    transport: (inner) => ({
      pollDisconnect: () => inner.pollDisconnect() && (inner.error !== undefined || inner.recvEnded),
    }),
    breaks: [
      'two ends that disconnect one after the other both close, neither waiting for the other',
      'a disconnect is done although the peer never finishes, and what it sends late costs it nothing',
      'two sides that close one after the other, as await using does, wait for nobody',
      'what a close delivered is still there although its reader sends before it reads',
      'a listener that drains waits for its connections, or closes them at the deadline',
    ],
  },
  {
    name: 'disconnects the same way, whatever it is told',
    transport: (inner) => ({ disconnect: () => inner.disconnect() }),
    breaks: [
      'a peer that takes nothing for timeoutMs is given up with ERR_NETTS_TIMEOUT',
      'options of disconnect out of range are refused with ERR_NETTS_INVALID_ARGUMENT',
    ],
  },
  {
    name: 'gives a disconnect timeoutMs in all, by the clock on the wall',
    setting: { limits: { maxSendSize: 1024, recvWindow: 4096, sendSlots: 16, recvSlots: 8 } },
    transport: (inner) => ({
      disconnect: ({ timeoutMs = 5000 }: DisconnectOptions = {}) => {
        inner.disconnect({ timeoutMs: 0 })
        if (timeoutMs > 0) setTimeout(() => inner.destroy(late()), timeoutMs).unref()
      },
    }),
    breaks: [
      'a peer that reads slowly is not given up: any progress begins timeoutMs anew',
      'a busy program does not time out a close, or a disconnect, that goes on',
    ],
  },
  {
    name: 'keeps what was not polled when this side ends',
    transport: keeping,
    breaks: [
      "this side's own disconnect discards what was not polled; what was handed out stays readable",
      "this side's own destroy discards what was not polled; what was handed out stays readable",
    ],
  },
  {
    name: 'drops what was not polled when both sides have ended',
    transport: (inner) => ({ pollRecv: (out) => (inner.pollDisconnect() ? 0 : inner.pollRecv(out)) }),
    breaks: ['what arrived before both sides had ended cleanly stays readable, and then comes the end'],
  },
  {
    name: 'cannot be unref’d once it is closed',
    transport: (inner) => ({
      unref: () => {
        if (inner.pollDisconnect()) throw late()
        inner.unref()
      },
    }),
    breaks: ['ref and unref may be called in every state, any number of times, and change nothing else'],
  },
  {
    name: 'lets escape what a waker throws',
    transport: (inner) => {
      let waker: (() => void) | undefined
      inner.waker = () => setImmediate(() => waker?.())
      return {
        get waker() {
          return waker
        },
        set waker(callback) {
          waker = callback
        },
      }
    },
    breaks: ['a waker that throws ends its own transport with ERR_NETTS_INTERNAL, and nothing else'],
  },
  {
    name: 'tells its peer nothing of a destroy',
    transport: () => ({ destroy: () => {} }),
    breaks: [
      'a send',
      'pollSendCompletion',
      'pollRecv',
      'recvBuf',
      'repostRecv',
      'recvEnded',
      'pollDisconnect',
      'queuedBytes',
      'finish',
    ].map(
      (what) =>
        `a connection whose transport throws from ${what} fails with that cause, and settles everything`,
    ),
  },
  {
    name: 'never ends',
    transport: () => ({ finish: () => {}, destroy: () => {} }),
    breaks: [
      'a connection whose transport throws from disconnect fails with that cause, and settles everything',
    ],
  },
]
