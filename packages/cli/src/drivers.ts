/** The driver of each scheme. Drivers for RDMA are loaded when an address needs them. */
import type { TransportBuilder } from '@netts/core'
import { tcp } from '@netts/tcp'
import type { Scheme } from './endpoint.js'

/** Makes the builder for a scheme; `rdma` is the ring, the faster RDMA driver. */
export async function driverFor(scheme: Scheme): Promise<TransportBuilder> {
  switch (scheme) {
    case 'tcp':
    case 'unix':
      return tcp()
    case 'sendrecv':
      return (await import('@netts/rdma-sendrecv')).sendRecv()
    case 'ring':
    case 'rdma':
      return (await import('@netts/rdma-ring')).ring()
  }
}
