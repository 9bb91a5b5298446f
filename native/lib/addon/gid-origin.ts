/**
 * What the kernel says of an entry of a GID table apart from its address. libibverbs reads the same files.
 */
import { readFileSync } from 'node:fs'
import type { Gid } from '../verbs/device.js'
import type { NativeGid } from './native-binding.js'

/** The kernel's names, from `drivers/infiniband/core/cache.c`. */
const TYPES: Readonly<Record<string, Gid['type']>> = { 'IB/RoCE v1': 'roce-v1', 'RoCE v2': 'roce-v2' }

/** The type and network interface of an entry. */
export function gidOrigin(
  deviceName: string,
  { portNumber, index }: NativeGid,
): Pick<Gid, 'type' | 'networkInterface'> {
  const port = `/sys/class/infiniband/${deviceName}/ports/${portNumber}`
  const networkInterface = read(`${port}/gid_attrs/ndevs/${index}`)
  const type = TYPES[read(`${port}/gid_attrs/types/${index}`) ?? '']
  // The kernel has the same name for the entries of InfiniBand and of RoCE v1.
  const isInfiniband = type === 'roce-v1' && read(`${port}/link_layer`) === 'InfiniBand'
  return { type: isInfiniband ? 'infiniband' : type, networkInterface }
}

/** An attribute in sysfs; `undefined` if there is none, or it is empty. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
