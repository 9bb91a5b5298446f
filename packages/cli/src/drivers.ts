/** The driver of each kind of address. Those for RDMA are loaded when an address asks for them. */
import type { TransportBuilder } from '@netts/core'
import { tcp } from '@netts/tcp'
import type { Scheme } from './endpoint.js'

/** The builder for an address; `rdma` is the ring, the faster one. */
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
