/** `@netts/rdma-sendrecv`: by itself and under a connection, waiting busily and by events. */
import type { SendRecvOptions } from '@netts/rdma-sendrecv'
import type { ChannelContender } from './contender.js'

type Polling = NonNullable<SendRecvOptions['polling']>

async function builder(polling: Polling) {
  return (await import('@netts/rdma-sendrecv')).sendRecv({ polling })
}

function transport(polling: Polling): ChannelContender {
  return {
    id: `sendrecv-transport-${polling}`,
    title: `@netts/rdma-sendrecv transport, ${polling}`,
    about: `the driver by itself, bytes without messages: sendCopy and pollRecv; polling ${polling}`,
    delivers: 'bytes',
    processes: 2,
    needsRdma: true,
    load: async () => (await import('./netts-transport.js')).nettsTransport(await builder(polling)),
  }
}

function connection(polling: Polling, style: 'lease' | 'zero-copy'): ChannelContender {
  return {
    id: `sendrecv-${polling}${style === 'lease' ? '' : '-zero-copy'}`,
    title: `@netts/rdma-sendrecv, ${polling}${style === 'lease' ? '' : ', zero-copy'}`,
    about: `${style === 'lease' ? 'trySend(message)' : 'sends pooled buffers that were filled in place'}, and leases instead of copies; polling ${polling}`,
    delivers: 'messages',
    processes: 2,
    needsRdma: true,
    load: async () => (await import('./netts-connection.js')).nettsConnection(await builder(polling), style),
  }
}

export const sendRecv: readonly ChannelContender[] = [
  transport('busy'),
  transport('event'),
  connection('busy', 'lease'),
  connection('adaptive', 'lease'),
  connection('event', 'lease'),
  connection('busy', 'zero-copy'),
]
