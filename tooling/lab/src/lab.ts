/** Opens a lab: one guest, or two with a link between them, ready to run commands on RDMA devices. */

import { join } from 'node:path'
import type { LabDeviceType } from './devices.js'
import { connectGuest, type Guest } from './machine/guest.js'
import { type Machine, startMachine } from './machine/qemu.js'
import { initramfs } from './prepare/initramfs.js'
import { kernelFolder } from './prepare/kernel.js'
import { type Progress, reportOnStderr } from './progress.js'

export interface LabOptions {
  /** @default both, `['rxe', 'siw']` */
  devices?: readonly Exclude<LabDeviceType, 'hardware'>[]
  /** @default 2 */
  cpus?: number
  /** Of each guest. @default 4096 */
  memoryMiB?: number
  /** How long a guest may take until it runs commands. @default 120_000 */
  bootTimeoutMs?: number
  /** A folder, by absolute path, that guests can write to; what they write is on the host at once. */
  resultsFolder?: string
  /** @default lines on standard error */
  progress?: Progress
  /** More arguments for QEMU. */
  qemuArguments?: readonly string[]
}

export interface Lab extends AsyncDisposable {
  readonly guests: readonly [Guest, ...Guest[]]
}

export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const progress = options.progress ?? reportOnStderr
  const devices = options.devices ?? ['rxe', 'siw']
  const kernel = await kernelFolder(progress)
  const initrd = await initramfs(kernel)
  const machines: Machine[] = []
  const boot = async (host: number): Promise<Guest> => {
    const machine = startMachine({
      kernel: join(kernel, 'vmlinuz'),
      initramfs: initrd,
      kernelArguments: `netts.devices=${devices.join(',')} netts.host=${host} netts.hosts=1`,
      kvm: false,
      cpus: options.cpus ?? 2,
      memoryMiB: options.memoryMiB ?? 4096,
      macAddresses: [],
      writableFolder: options.resultsFolder,
      extraArguments: options.qemuArguments ?? [],
    })
    machines.push(machine)
    return await connectGuest(machine, {
      name: 'the guest',
      bootTimeoutMs: options.bootTimeoutMs ?? 120_000,
      writableFolder: options.resultsFolder,
    })
  }
  const started = performance.now()
  progress('booting a guest')
  const guest = await boot(1)
  progress(`booted in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return {
    guests: [guest],
    async [Symbol.asyncDispose]() {
      await Promise.all(machines.map((machine) => machine.powerCut()))
    },
  }
}
