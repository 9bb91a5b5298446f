/** Whether the kernel supports RDMA, and this process may use it. */
import type { DeviceFileFacts, Facts } from '../facts.js'
import { type Finding, findingsOf, list } from '../finding.js'

const modules = findingsOf('modules')
const permissions = findingsOf('permissions')

export function checkModules({ modules: found, process, devices }: Facts): Finding[] {
  // Devices of a replacement for the libraries need no modules.
  const say = devices.some(({ opened }) => opened) ? modules.note : modules.problem
  const named = (state: string) => found.filter((module) => module.state === state).map(({ name }) => name)
  const [available, missing] = [named('available'), named('missing')]
  const findings: Finding[] = []
  if (available.length > 0) {
    const command = `modprobe ${available.join(' ')}`
    findings.push(
      say(
        `the kernel has ${list(available)}, but not loaded`,
        process.container === undefined
          ? `Load them with "modprobe -a ${available.join(' ')}", and at each boot by a file in /etc/modules-load.d.`
          : `Load them on the host, not in the container: "${command.replace('modprobe', 'modprobe -a')}".`,
      ),
    )
  }
  if (missing.length > 0) {
    findings.push(
      say(
        `the kernel ${process.kernelRelease} has no ${list(missing)}`,
        process.container === undefined
          ? 'Install the modules of this kernel (on Ubuntu linux-modules-extra), or the general kernel where this is ' +
              'one for clouds.'
          : 'Load ib_uverbs and rdma_ucm on the host; its modules cannot be seen from this container.',
      ),
    )
  }
  return findings.length > 0 ? findings : [modules.ok(`${list(named('loaded'))} are loaded`)]
}

export function checkPermissions({ deviceFiles, process, devices }: Facts): Finding[] {
  if (deviceFiles.length === 0) {
    return devices.some(({ opened }) => opened)
      ? [permissions.note('the devices are not those of the kernel, and need no files')]
      : [permissions.skipped('there are no files in /dev/infiniband, because the kernel has no RDMA device')]
  }
  const here = new Set(devices.map(({ name }) => name))
  // The files of devices in other network namespaces exist too, but may not be opened from here.
  const isElsewhere = ({ device }: DeviceFileFacts) =>
    process.rdmaNamespaces === 'exclusive' && device !== undefined && !here.has(device)
  const refused = deviceFiles.filter((file) => file.error !== undefined && !isElsewhere(file))
  if (refused.length === 0) {
    return [
      permissions.ok(
        `${list(deviceFiles.filter((file) => !isElsewhere(file)).map(({ path }) => path))} can be opened`,
      ),
    ]
  }
  return refused.map((file) =>
    permissions.problem(
      `${file.path}${file.device === undefined ? '' : ` of ${file.device}`} ${whatFailed(file)}`,
      remedyFor(file, process.userId, process.container),
    ),
  )
}

function whatFailed({ error, mode, owner }: DeviceFileFacts): string {
  if (error === 'ENOENT') return 'is not there, although the kernel has the device'
  return `cannot be opened: ${error}${mode === undefined ? '' : ` (mode ${mode}, owner ${owner})`}`
}

function remedyFor({ error, path }: DeviceFileFacts, userId: number, container: string | undefined): string {
  if (error === 'ENOENT') {
    return container === undefined
      ? `Start udev, or make the file from /sys/class ("udevadm trigger"); in a container, pass it in: --device ${path}.`
      : `Pass it in: --device ${path} with Docker and Podman, a device plugin such as ` +
          'k8s-rdma-shared-dev-plugin with Kubernetes.'
  }
  if (error === 'EPERM') {
    return `A control group of devices forbids it: pass the device in with --device ${path}.`
  }
  if (error === 'EACCES') {
    return (
      `User ${userId} lacks read and write access: a udev rule such as ` +
      `KERNEL=="uverbs*|rdma_cm", MODE="0666" grants it, or membership of the file’s group.`
    )
  }
  return 'Look at "dmesg" for what the driver says.'
}
