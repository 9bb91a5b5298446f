/** The driver of each kind of address. Those for RDMA are loaded when an address asks for them. */
import { isNettsError, NettsError, type TransportBuilder } from '@netts/core'
import { tcp } from '@netts/tcp'
import type { Scheme } from './endpoint.js'

interface RdmaDriver {
  readonly packageName: string
  /** The name of its factory. */
  readonly factory: string
}

const RDMA: Record<'sendrecv' | 'ring', RdmaDriver> = {
  sendrecv: { packageName: '@netts/rdma-sendrecv', factory: 'sendRecv' },
  ring: { packageName: '@netts/rdma-ring', factory: 'ring' },
}

/** In the order in which `rdma:` tries them. */
const PREFERRED = [RDMA.ring, RDMA.sendrecv]

/**
 * The builder for an address.
 *
 * Rejects with `ERR_NETTS_UNAVAILABLE` when its package is not installed.
 */
export async function driverFor(scheme: Scheme): Promise<TransportBuilder> {
  if (scheme === 'tcp' || scheme === 'unix') return tcp()
  if (scheme !== 'rdma') return load(RDMA[scheme])
  let notInstalled: unknown
  for (const driver of PREFERRED) {
    try {
      return await load(driver)
    } catch (error) {
      if (!isNettsError(error) || error.code !== 'ERR_NETTS_UNAVAILABLE') throw error
      notInstalled = error
    }
  }
  throw notInstalled
}

async function load({ packageName, factory }: RdmaDriver): Promise<TransportBuilder> {
  let driver: Record<string, () => TransportBuilder>
  try {
    driver = await import(packageName)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
    // Something else that is missing makes an installed driver a broken one.
    if (!isMissing || !message.includes(`'${packageName}'`)) throw cause
    throw new NettsError(
      'ERR_NETTS_UNAVAILABLE',
      `${packageName} is not installed: npm install ${packageName}`,
      { cause },
    )
  }
  return driver[factory]!()
}
