/** For tests in the lab: what the kernel counts, of all processes. */
import { execFileSync } from 'node:child_process'
import type { Bench } from '../device-suite/bench.js'
import { connectPair } from '../device-suite/pair.js'

/** Kinds of `rdma resource show`. `ctx` is left out: librdmacm opens contexts as it needs them. */
const KINDS = ['pd', 'cq', 'qp', 'cm_id', 'mr', 'srq'] as const

/** RDMA resources of the whole machine, as the kernel counts them. */
export type KernelResources = Readonly<Record<(typeof KINDS)[number], number>>

/**
 * Connects once and closes everything, before the first count: from then on librdmacm keeps a protection domain of
 * its own for the device, until the process ends (`ucma_get_device`, `rdma_free_devices` in its `cma.c`).
 */
export async function warmUp(bench: Bench): Promise<void> {
  const pair = await connectPair(bench)
  pair.close()
  bench.client.close()
}

/** Asks the kernel, through iproute2's `rdma`. */
export function kernelResources(): KernelResources {
  const devices = JSON.parse(
    execFileSync('rdma', ['-j', 'resource', 'show'], { encoding: 'utf8' }),
  ) as Record<string, number>[]
  const sums = KINDS.map((kind) => [kind, devices.reduce((sum, device) => sum + (device[kind] ?? 0), 0)])
  return Object.fromEntries(sums) as KernelResources
}

/** Waits until the kernel counts this again: it frees some things, such as connections in timewait, later. */
export async function settleResources(
  expected: KernelResources,
  timeoutMs = 10_000,
): Promise<KernelResources> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const now = kernelResources()
    if (JSON.stringify(now) === JSON.stringify(expected) || Date.now() > deadline) return now
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
