/** Drivers that are wrong in connecting, listening and accepting. */
import { NettsError, type Transport } from '@netts/core'
import type { Defect } from './broken-driver.js'

const refused = () => new NettsError('ERR_NETTS_CONNECT_FAILED', 'broken on purpose')

export const connectingDefects: readonly Defect[] = [
  {
    name: 'swallows what the accepting side sends',
    transport: (_, side) => (side === 'server' ? { sendCopy: (data) => data.byteLength } : {}),
    breaks: ['a connection carries bytes both ways'],
  },
  {
    name: 'reports a wrong remote address',
    transport: () => ({ remoteAddress: { host: '127.0.0.1', port: 1 } }),
    breaks: ['both ends know both addresses'],
  },
  {
    name: 'reports a local address of its own invention',
    transport: () => ({ localAddress: { host: '127.0.0.1', port: 1 } }),
    breaks: ['both ends know both addresses'],
  },
  {
    name: 'calls every failure to connect the same',
    builder: (inner) => ({
      connect: (address, options) =>
        inner.connect(address, options).catch(() => {
          throw refused()
        }),
    }),
    breaks: [
      'a malformed address or option is refused with ERR_NETTS_INVALID_ARGUMENT',
      'an attempt whose signal is aborted before fails with ERR_NETTS_ABORTED',
      'an attempt may be aborted at each step, and leaves nothing behind',
      'an attempt that nobody answers ends by its deadline or its signal',
    ],
  },
  {
    name: 'rejects with plain errors',
    builder: (inner) => ({
      connect: (address, options) =>
        inner.connect(address, options).catch(() => {
          throw new Error('ECONNREFUSED')
        }),
    }),
    breaks: ['connecting where nobody listens fails with ERR_NETTS_CONNECT_FAILED'],
  },
  {
    name: 'does not look at the signal',
    builder: (inner) => ({
      connect: (address, options) => inner.connect(address, { ...options, signal: undefined }),
    }),
    breaks: [
      'a malformed address or option is refused with ERR_NETTS_INVALID_ARGUMENT',
      'an attempt whose signal is aborted before fails with ERR_NETTS_ABORTED',
      'an attempt may be aborted at each step, and leaves nothing behind',
      'an attempt that nobody answers ends by its deadline or its signal',
    ],
  },
  {
    name: 'keeps listening to the signal once it is connected',
    builder: (inner) => ({
      connect: async (address, options) => {
        const transport = await inner.connect(address, options)
        options?.signal?.addEventListener('abort', () => transport.destroy())
        return transport
      },
    }),
    breaks: ["aborting an established connection's signal does nothing"],
  },
  {
    name: 'has no deadline for connecting',
    builder: (inner) => ({
      connect: (address, options) => inner.connect(address, { ...options, timeoutMs: 0 }),
    }),
    breaks: ['an attempt that nobody answers ends by its deadline or its signal'],
  },
  {
    name: 'makes one connection at a time',
    builder: (inner) => {
      let isConnecting = false
      return {
        connect: async (address, options) => {
          if (isConnecting) throw refused()
          isConnecting = true
          try {
            return await inner.connect(address, options)
          } finally {
            isConnecting = false
          }
        },
      }
    },
    breaks: [
      'one builder makes any number of connections at the same time',
      'many clients connecting at the same time are all accepted',
    ],
  },
  {
    name: 'listens anywhere, whatever it is told',
    builder: (inner) => ({
      listen: (address, options) =>
        inner.listen(address, options).catch(() => inner.listen({ host: '127.0.0.1', port: 0 })),
    }),
    breaks: [
      'a malformed address or backlog is refused with ERR_NETTS_INVALID_ARGUMENT',
      'listening where somebody listens fails with ERR_NETTS_LISTEN_FAILED, and harms nobody',
    ],
  },
  {
    name: 'does not tell which port it chose',
    listener: () => ({ address: { host: '127.0.0.1', port: 0 } }),
    breaks: ['port 0 becomes the port that was chosen'],
  },
  {
    name: 'accepts connections in pairs, the later one first',
    listener: (inner) => {
      let second: Transport | undefined
      return {
        accept: async (options) => {
          if (second) {
            const transport = second
            second = undefined
            return transport
          }
          second = await inner.accept(options)
          return inner.accept(options)
        },
      }
    },
    breaks: ['connections are accepted in the order in which they were established'],
  },
  {
    name: 'serves the latest accept first',
    listener: (inner) => {
      const waiting: ((transport: Transport | undefined) => void)[] = []
      return {
        accept: () =>
          new Promise((resolve, reject) => {
            waiting.push(resolve)
            inner.accept().then((transport) => waiting.pop()?.(transport), reject)
          }),
      }
    },
    breaks: ['waiting accepts are served in the order of the calls'],
  },
  {
    name: 'loses the connection of a cancelled accept',
    listener: (inner) => ({
      accept: (options) => {
        const accepting = inner.accept()
        const cancelled = new Promise<never>((_, reject) => {
          const onAbort = () => {
            reject(
              new NettsError('ERR_NETTS_ABORTED', 'broken on purpose', { cause: options?.signal?.reason }),
            )
          }
          if (options?.signal?.aborted) onAbort()
          options?.signal?.addEventListener('abort', onAbort)
        })
        return Promise.race([accepting, cancelled])
      },
    }),
    breaks: ['cancelling an accept loses no connection'],
  },
  {
    name: 'leaves accepts waiting when the listener closes',
    listener: (inner) => ({
      accept: async (options) => (await inner.accept(options)) ?? new Promise(() => {}),
    }),
    breaks: ['closing resolves waiting and later accepts to undefined, and ends iteration'],
  },
  {
    name: 'stops iterating after one connection',
    listener: (inner) => ({
      async *[Symbol.asyncIterator]() {
        const transport = await inner.accept()
        if (transport) yield transport
      },
    }),
    breaks: ['iterating accepts until the listener is closed'],
  },
  {
    name: 'destroys accepted connections with their listener',
    listener: (inner) => {
      const accepted: Transport[] = []
      return {
        accept: async (options) => {
          const transport = await inner.accept(options)
          if (transport) accepted.push(transport)
          return transport
        },
        close: async () => {
          for (const transport of accepted) transport.destroy()
          await inner.close()
        },
      }
    },
    breaks: ['closing destroys connections that nobody accepted; accepted ones live on'],
  },
  {
    name: 'forgets connections that nobody accepted when it closes',
    listener: (inner) => ({
      close: async () => {
        // Taken out of the queue, and left to themselves.
        const controller = new AbortController()
        const taken = inner.accept({ signal: controller.signal }).catch(() => undefined)
        controller.abort()
        await taken
        await inner.close()
      },
    }),
    breaks: ['closing destroys connections that nobody accepted; accepted ones live on'],
  },
  {
    name: 'does not stop listening',
    listener: () => ({ close: async () => {} }),
    breaks: [
      'an address can be listened on again after the listener closed',
      'closing resolves waiting and later accepts to undefined, and ends iteration',
      'connecting where nobody listens fails with ERR_NETTS_CONNECT_FAILED',
    ],
  },
  {
    name: 'has no limit for connections that wait',
    builder: (inner) => ({
      listen: (address, options) => inner.listen(address, { ...options, backlog: 100 }),
    }),
    breaks: ['no more than the backlog wait to be accepted; further ones are turned away'],
  },
  {
    name: 'fails an accept when a client has gone away',
    listener: (inner) => ({
      accept: async (options) => {
        const transport = await inner.accept(options)
        if (transport?.pollDisconnect()) throw refused()
        return transport
      },
    }),
    breaks: ['a client that goes away before it is accepted fails no accept'],
  },
  {
    name: 'drops a connection now and then',
    listener: (inner) => {
      let accepted = 0
      return {
        accept: async (options) => {
          const transport = await inner.accept(options)
          return transport && ++accepted % 10 === 0 ? inner.accept(options) : transport
        },
      }
    },
    breaks: ['many clients connecting at the same time are all accepted'],
  },
  {
    name: 'claims less than the manifest',
    transport: (inner) => ({ capabilities: { ...inner.capabilities, reset: false } }),
    breaks: ['both ends claim exactly what the manifest says'],
  },
  {
    name: 'claims to detect crashes, and shows none',
    fixture: () => ({ startCrashablePeer: undefined as never }),
    breaks: ['a driver that claims to detect crashes can be shown one'],
  },
  {
    name: 'takes only a few bytes at a time',
    transport: () => ({ maxSendSize: 100 }),
    breaks: ['a new transport is open, working, and has limits that make sense'],
  },
]
