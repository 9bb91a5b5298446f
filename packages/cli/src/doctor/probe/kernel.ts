/** Looks at the kernel: its modules, and the files in `/dev/infiniband`. */
import { closeSync, constants, openSync, statSync } from 'node:fs'
import { release } from 'node:os'
import type { DeviceFileFacts, ModuleFacts } from '../facts.js'
import { namesIn, readLine } from './files.js'

/** The kernel modules that libibverbs and librdmacm need. */
const MODULES = ['ib_core', 'ib_uverbs', 'rdma_cm', 'rdma_ucm'] as const

export function probeModules(): ModuleFacts[] {
  const onDisk = `${readLine(`/lib/modules/${release()}/modules.dep`)}\n${readLine(`/lib/modules/${release()}/modules.builtin`)}`
  return MODULES.map((name) => ({ name, state: moduleState(name, onDisk) }))
}

function moduleState(name: string, onDisk: string): ModuleFacts['state'] {
  // A module that is built into the kernel may have no folder; then the files that it makes show that it is there.
  if (namesIn('/sys/module').includes(name) || isBuiltInAndWorks(name)) return 'loaded'
  return new RegExp(`/${name}\\.ko`).test(onDisk) ? 'available' : 'missing'
}

function isBuiltInAndWorks(name: string): boolean {
  if (name === 'ib_uverbs') return namesIn('/sys/class/infiniband_verbs').includes('abi_version')
  if (name === 'rdma_ucm') return namesIn('/sys/class/misc').includes('rdma_cm')
  return namesIn('/sys/class').includes('infiniband')
}

/** Opens each file that a program over RDMA opens. */
export function probeDeviceFiles(): DeviceFileFacts[] {
  const devices = namesIn('/sys/class/infiniband_verbs')
    .filter((name) => name.startsWith('uverbs'))
    .map((name) => ({ name, device: readLine(`/sys/class/infiniband_verbs/${name}/ibdev`) }))
  const manager = namesIn('/sys/class/misc').includes('rdma_cm')
    ? [{ name: 'rdma_cm', device: undefined }]
    : []
  return [...devices, ...manager].map(({ name, device }) => {
    const path = `/dev/infiniband/${name}`
    return { path, device, error: openError(path), ...ownership(path) }
  })
}

function openError(path: string): string | undefined {
  try {
    closeSync(openSync(path, constants.O_RDWR))
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

function ownership(path: string): Pick<DeviceFileFacts, 'mode' | 'owner'> {
  try {
    const { mode, uid, gid } = statSync(path)
    return { mode: (mode & 0o7777).toString(8).padStart(4, '0'), owner: `${uid}:${gid}` }
  } catch {
    return { mode: undefined, owner: undefined }
  }
}
