/** The drivers over RDMA: each by itself and under a connection, waiting busily and by events. */
import type { TransportBuilder } from '@netts/core'
import type { RingOptions } from '@netts/rdma-ring'
import type { ChannelContender } from './contender.js'

type Polling = NonNullable<RingOptions['polling']>

interface RdmaDriver {
  /** Begins the ids of its contenders. */
  readonly id: string
  readonly packageName: string
  builder(polling: Polling): Promise<TransportBuilder>
}

function transport({ id, packageName, builder }: RdmaDriver, polling: Polling): ChannelContender {
  return {
    id: `${id}-transport-${polling}`,
    title: `${packageName} transport, ${polling}`,
    about: `the driver by itself, bytes without messages: sendCopy and pollRecv; polling ${polling}`,
    delivers: 'bytes',
    processes: 2,
    needsRdma: true,
    load: async () => (await import('./netts-transport.js')).nettsTransport(await builder(polling)),
  }
}

function connection(
  { id, packageName, builder }: RdmaDriver,
  polling: Polling,
  style: 'lease' | 'zero-copy',
): ChannelContender {
  return {
    id: `${id}-${polling}${style === 'lease' ? '' : '-zero-copy'}`,
    title: `${packageName}, ${polling}${style === 'lease' ? '' : ', zero-copy'}`,
    about: `${style === 'lease' ? 'trySend(message)' : 'sends pooled buffers that were filled in place'}, and leases instead of copies; polling ${polling}`,
    delivers: 'messages',
    processes: 2,
    needsRdma: true,
    load: async () => (await import('./netts-connection.js')).nettsConnection(await builder(polling), style),
  }
}

function contendersOf(driver: RdmaDriver): readonly ChannelContender[] {
  return [
    transport(driver, 'busy'),
    transport(driver, 'event'),
    connection(driver, 'busy', 'lease'),
    connection(driver, 'adaptive', 'lease'),
    connection(driver, 'event', 'lease'),
    connection(driver, 'busy', 'zero-copy'),
  ]
}

export const sendRecv: readonly ChannelContender[] = contendersOf({
  id: 'sendrecv',
  packageName: '@netts/rdma-sendrecv',
  builder: async (polling) => (await import('@netts/rdma-sendrecv')).sendRecv({ polling }),
})

export const ring: readonly ChannelContender[] = contendersOf({
  id: 'ring',
  packageName: '@netts/rdma-ring',
  builder: async (polling) => (await import('@netts/rdma-ring')).ring({ polling }),
})
