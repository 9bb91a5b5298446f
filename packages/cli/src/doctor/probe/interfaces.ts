/** Looks at the network interfaces of this network namespace. */
import { networkInterfaces } from 'node:os'
import type { InterfaceFacts } from '../facts.js'
import { readLine } from './files.js'

export function probeInterfaces(): InterfaceFacts[] {
  const addresses = networkInterfaces()
  // This list includes interfaces without an address. Unlike /sys, it is always that of this network namespace.
  const names = [...(readLine('/proc/self/net/dev') ?? '').matchAll(/^\s*([^\s:]+):/gm)].map(
    ([, name]) => name!,
  )
  return names.map((name) => {
    const mtu = readLine(`/sys/class/net/${name}/mtu`)
    return {
      name,
      mtuBytes: mtu === undefined ? undefined : Number(mtu),
      state: readLine(`/sys/class/net/${name}/operstate`),
      addresses: (addresses[name] ?? []).map(({ address }) => address),
    }
  })
}
