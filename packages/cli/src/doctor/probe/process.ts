/** Looks at this process: its rights, limits, namespaces and container. */
import { existsSync } from 'node:fs'
import { release } from 'node:os'
import type { ByteLimit, CgroupLimit, ProcessFacts } from '../facts.js'
import { readLine } from './files.js'

/** From `linux/capability.h`. */
const CAP_IPC_LOCK = 14n

export function probeProcess(): ProcessFacts {
  return {
    platform: process.platform,
    architecture: process.arch,
    kernelRelease: release(),
    nodeVersion: process.version,
    userId: process.geteuid?.() ?? -1,
    ipcLock: { effective: hasIpcLock('CapEff'), bounding: hasIpcLock('CapBnd') },
    memlock: memlockLimits(),
    inUserNamespace: isInUserNamespace(readLine('/proc/self/uid_map')),
    container: container(),
    rdmaNamespaces: { Y: 'shared', N: 'exclusive' }[
      readLine('/sys/module/ib_core/parameters/netns_mode') ?? ''
    ] as ProcessFacts['rdmaNamespaces'],
    cgroupLimits: parseRdmaMax(rdmaMax()),
  }
}

function hasIpcLock(set: 'CapEff' | 'CapBnd'): boolean {
  const digits = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(readLine('/proc/self/status') ?? '')?.[1]
  return digits !== undefined && ((BigInt(`0x${digits}`) >> CAP_IPC_LOCK) & 1n) === 1n
}

function memlockLimits(): ProcessFacts['memlock'] {
  const [, soft, hard] = /^Max locked memory\s+(\S+)\s+(\S+)/m.exec(readLine('/proc/self/limits') ?? '') ?? []
  const limit = (text: string | undefined): ByteLimit =>
    text === undefined || text === 'unlimited' ? 'unlimited' : Number(text)
  return { soft: limit(soft), hard: limit(hard) }
}

/** Whether this is not the initial user namespace, which maps all numbers to themselves (user_namespaces(7)). */
export function isInUserNamespace(uidMap: string | undefined): boolean {
  return uidMap !== undefined && !/^\s*0\s+0\s+4294967295$/.test(uidMap)
}

function container(): string | undefined {
  if (process.env.KUBERNETES_SERVICE_HOST !== undefined) return 'Kubernetes'
  if (existsSync('/.dockerenv')) return 'Docker'
  if (existsSync('/run/.containerenv')) return 'Podman'
  // A convention of systemd, which LXC and systemd-nspawn follow.
  return process.env.container ?? /(?:^|\0)container=([^\0]+)/.exec(readLine('/proc/1/environ') ?? '')?.[1]
}

/** `rdma.max` of its control group, in version 2 or 1 of the hierarchy. */
function rdmaMax(): string {
  const groups = (readLine('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'))
  for (const [, controllers, path] of groups) {
    const folder =
      controllers === '' ? '/sys/fs/cgroup' : controllers === 'rdma' ? '/sys/fs/cgroup/rdma' : undefined
    const found = folder === undefined ? undefined : readLine(`${folder}${path}/rdma.max`)
    if (found !== undefined) return found
  }
  return ''
}

/** Parses lines such as `mlx5_0 hca_handle=2 hca_object=max`. Lines without a limit are left out. */
export function parseRdmaMax(text: string): CgroupLimit[] {
  const value = (digits: string): number | 'max' => (digits === 'max' ? 'max' : Number(digits))
  return [...text.matchAll(/^(\S+) hca_handle=(\S+) hca_object=(\S+) *$/gm)]
    .map(([, device, handles, objects]) => ({
      device: device!,
      handles: value(handles!),
      objects: value(objects!),
    }))
    .filter(({ handles, objects }) => handles !== 'max' || objects !== 'max')
}
