/** The drivers over RDMA: each by itself and under a connection, by how they wait for completions. */
import type { TransportBuilder } from '@netts/core'
import type { RingOptions } from '@netts/rdma-ring'
import type { ChannelContender } from './contender.js'
import type { ConnectionStyle } from './netts-connection.js'

export type Polling = NonNullable<RingOptions['polling']>

/** A driver, as its contenders name and load it. */
export interface RdmaDriver {
  /** Begins the ids of its contenders. */
  readonly id: string
  readonly packageName: string
  builder(polling: Polling): Promise<TransportBuilder>
}

/** How a connection is used, in a contender's words. */
const STYLES: Record<ConnectionStyle, { readonly name: string; readonly about: string }> = {
  await: {
    name: 'awaited',
    about: 'the simplest code: await send(message), for await (const message of connection)',
  },
  lease: { name: '', about: 'trySend(message), and leases instead of copies' },
  callback: { name: 'by callback', about: 'trySend(message), and leases that onMessage brings' },
  'zero-copy': {
    name: 'zero-copy',
    about: 'sends pooled buffers that were filled in place, and leases instead of copies',
  },
}

export const drivers: readonly RdmaDriver[] = [
  {
    id: 'sendrecv',
    packageName: '@netts/rdma-sendrecv',
    builder: async (polling) => (await import('@netts/rdma-sendrecv')).sendRecv({ polling }),
  },
  {
    id: 'ring',
    packageName: '@netts/rdma-ring',
    builder: async (polling) => (await import('@netts/rdma-ring')).ring({ polling }),
  },
]

/** The driver by itself. */
export function transportOf({ id, packageName, builder }: RdmaDriver, polling: Polling): ChannelContender {
  return {
    id: `${id}-transport-${polling}`,
    title: `${packageName} transport, ${polling}`,
    about: `the driver by itself, bytes without messages: sendCopy and pollRecv; polling ${polling}`,
    delivers: 'bytes',
    processes: 2,
    load: async () => (await import('./netts-transport.js')).nettsTransport(await builder(polling)),
  }
}

/** A connection over the driver. */
export function connectionOf(
  { id, packageName, builder }: RdmaDriver,
  polling: Polling,
  style: ConnectionStyle,
): ChannelContender {
  const { name, about } = STYLES[style]
  return {
    id: `${id}-${polling}${style === 'lease' ? '' : `-${style}`}`,
    title: `${packageName}, ${polling}${name && `, ${name}`}`,
    about: `${about}; polling ${polling}`,
    delivers: 'messages',
    processes: 2,
    load: async () => (await import('./netts-connection.js')).nettsConnection(await builder(polling), style),
  }
}

/** In the lab. */
export const rdmaDrivers: readonly ChannelContender[] = drivers
  .flatMap((driver) => [
    transportOf(driver, 'busy'),
    transportOf(driver, 'event'),
    connectionOf(driver, 'busy', 'lease'),
    connectionOf(driver, 'adaptive', 'lease'),
    connectionOf(driver, 'event', 'lease'),
    connectionOf(driver, 'busy', 'zero-copy'),
  ])
  .map((contender) => ({ ...contender, needsRdma: true }))
