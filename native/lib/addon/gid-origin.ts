/**
 * What the kernel says of an entry of a GID table beside its address; libibverbs itself reads it from the same files.
 */
import { readFileSync } from 'node:fs'
import type { Gid } from '../verbs/device.js'
import type { NativeGid } from './native-binding.js'

/** The kernel's names, of `cache.c`. */
const TYPES: Readonly<Record<string, Gid['type']>> = { 'IB/RoCE v1': 'roce-v1', 'RoCE v2': 'roce-v2' }

/** Where an entry comes from. */
export function gidOrigin(
  deviceName: string,
  { portNumber, index }: NativeGid,
): Pick<Gid, 'type' | 'networkInterface'> {
  const port = `/sys/class/infiniband/${deviceName}/ports/${portNumber}`
  const networkInterface = read(`${port}/gid_attrs/ndevs/${index}`)
  const type = TYPES[read(`${port}/gid_attrs/types/${index}`) ?? '']
  // One name for both: InfiniBand's own has no network interface.
  const isInfiniband = type === 'roce-v1' && read(`${port}/link_layer`) === 'InfiniBand'
  return { type: isInfiniband ? 'infiniband' : type, networkInterface }
}

/** An attribute of the kernel's; `undefined` where it has none. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
