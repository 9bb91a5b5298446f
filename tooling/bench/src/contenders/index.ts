/** Everything that takes part. A driver, a mode or a peer joins by an entry here. */
import type { Contender } from './contender.js'
import { loopback } from './loopback.js'
import { perftest } from './perftest.js'
import { pools } from './pools.js'
import { rdmaDrivers } from './rdma-drivers.js'
import { rstream } from './rstream.js'
import { verbsAddon } from './verbs-addon.js'

/** What rows are compared to unless their scenario says otherwise: a contender's `id`. */
export const RAW = 'net'

export const contenders: readonly Contender[] = [
  {
    id: 'net',
    title: 'node:net',
    about: 'raw bytes, no messages: one socket.write for each payload',
    delivers: 'bytes',
    processes: 2,
    load: async () => (await import('./node-net.js')).nodeNet('write-each'),
  },
  {
    id: 'net-cork',
    title: 'node:net corked',
    about:
      'raw bytes, no messages: the writes of a turn under one cork, the fastest that node:net does with a write for each payload',
    delivers: 'bytes',
    processes: 2,
    unsupported: ({ traffic }) =>
      traffic === 'flood' ? undefined : 'there is nothing to gather: it is node:net then',
    load: async () => (await import('./node-net.js')).nodeNet('cork'),
  },
  {
    id: 'naive',
    title: 'naive framing',
    about:
      'length prefix on node:net as most people write it: one write a message, a reader that concatenates',
    delivers: 'messages',
    processes: 2,
    load: async () => (await import('./naive.js')).naive(),
  },
  {
    id: 'corked-framing',
    title: 'corked framing',
    about:
      'length prefix on node:net as an expert writes it: the messages of a turn under one cork, read where they arrived',
    delivers: 'messages',
    processes: 2,
    load: async () => (await import('./corked-framing.js')).corkedFraming(),
  },
  {
    id: 'ws',
    title: 'ws',
    about: 'WebSocket binary messages without compression',
    delivers: 'messages',
    processes: 2,
    load: async () => (await import('./web-socket.js')).webSocket(),
  },
  {
    id: 'zeromq',
    title: 'zeromq',
    about: 'a pair of Pair sockets for each connection, sends and receives awaited',
    delivers: 'messages',
    processes: 2,
    unsupported({ traffic }) {
      if (traffic === 'idle' || traffic === 'broadcast')
        return 'its connections are not observable one by one'
      if (traffic === 'churn') return 'connecting is lazy: there is no moment at which it is connected'
      return undefined
    },
    load: async () => (await import('./zero-mq.js')).zeroMq(),
  },
  {
    id: 'tcp-transport',
    title: '@netts/tcp transport',
    about: 'the driver by itself, bytes without messages: sendCopy and pollRecv',
    delivers: 'bytes',
    processes: 2,
    load: async () => (await import('./netts-transport.js')).nettsTransport(await tcpBuilder()),
  },
  {
    id: 'tcp-await',
    title: '@netts/tcp, awaited',
    about: 'the simplest code: await send(message), for await (const message of connection)',
    delivers: 'messages',
    processes: 2,
    load: async () => (await import('./netts-connection.js')).nettsConnection(await tcpBuilder(), 'await'),
  },
  {
    id: 'tcp',
    title: '@netts/tcp',
    about: 'trySend(message), send for one beyond a chunk, and leases instead of copies',
    delivers: 'messages',
    processes: 2,
    load: async () => (await import('./netts-connection.js')).nettsConnection(await tcpBuilder(), 'lease'),
  },
  {
    id: 'tcp-zero-copy',
    title: '@netts/tcp zero-copy',
    about: 'sends pooled buffers that were filled in place, and leases instead of copies',
    delivers: 'messages',
    processes: 2,
    load: async () =>
      (await import('./netts-connection.js')).nettsConnection(await tcpBuilder(), 'zero-copy'),
  },
  ...rdmaDrivers,
  {
    id: 'mock',
    title: '@netts/mock',
    about: 'both ends in memory of one process: trySend(message), and leases',
    delivers: 'messages',
    processes: 1,
    load: async () => {
      const { createMockNetwork } = await import('@netts/mock')
      return (await import('./netts-connection.js')).nettsConnection(createMockNetwork().builder(), 'lease')
    },
  },
  ...pools,
  ...perftest,
  rstream,
  verbsAddon,
  ...loopback,
]

async function tcpBuilder() {
  return (await import('@netts/tcp')).tcp()
}
