/** `@netts/rdma-ring`: by itself and under a connection, waiting busily and by events. */
import type { RingOptions } from '@netts/rdma-ring'
import type { ChannelContender } from './contender.js'

type Polling = NonNullable<RingOptions['polling']>

async function builder(polling: Polling) {
  return (await import('@netts/rdma-ring')).ring({ polling })
}

function transport(polling: Polling): ChannelContender {
  return {
    id: `ring-transport-${polling}`,
    title: `@netts/rdma-ring transport, ${polling}`,
    about: `the driver by itself, bytes without messages: sendCopy and pollRecv; polling ${polling}`,
    delivers: 'bytes',
    processes: 2,
    needsRdma: true,
    load: async () => (await import('./netts-transport.js')).nettsTransport(await builder(polling)),
  }
}

function connection(polling: Polling, style: 'lease' | 'zero-copy'): ChannelContender {
  return {
    id: `ring-${polling}${style === 'lease' ? '' : '-zero-copy'}`,
    title: `@netts/rdma-ring, ${polling}${style === 'lease' ? '' : ', zero-copy'}`,
    about: `${style === 'lease' ? 'trySend(message)' : 'sends pooled buffers that were filled in place'}, and leases instead of copies; polling ${polling}`,
    delivers: 'messages',
    processes: 2,
    needsRdma: true,
    load: async () => (await import('./netts-connection.js')).nettsConnection(await builder(polling), style),
  }
}

export const ring: readonly ChannelContender[] = [
  transport('busy'),
  transport('event'),
  connection('busy', 'lease'),
  connection('adaptive', 'lease'),
  connection('event', 'lease'),
  connection('busy', 'zero-copy'),
]
