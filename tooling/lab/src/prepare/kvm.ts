/** Whether KVM works here. `/dev/kvm` may be there and a guest on it still hang, so a boot is tried. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Progress } from '../progress.js'
import { cached } from './cache.js'
import { runTool } from './tools.js'

/** A kernel that works under KVM is through in one second. */
const PROBE_TIMEOUT_MS = 8_000

/**
 * Boots the kernel under KVM up to a script that says so. The answer is cached for as long as this machine
 * is up and its QEMU stays the same.
 */
export async function kvmWorks(kernel: string, initramfs: string, progress: Progress): Promise<boolean> {
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK)
  } catch {
    return false
  }
  const [bootId, qemu] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    runTool(['qemu-system-x86_64', '--version']),
  ])
  const key = createHash('sha256')
    .update(bootId + qemu)
    .digest('hex')
    .slice(0, 16)
  const entry = await cached(`kvm-${key}`, async (folder) => {
    progress('probing KVM')
    const answer = (await boots(kernel, initramfs)) ? 'works' : 'fails'
    progress(
      answer === 'works' ? 'KVM works' : 'KVM is there but a guest does not boot on it: emulating instead',
    )
    await writeFile(join(folder, 'answer'), answer)
  })
  return (await readFile(join(entry, 'answer'), 'utf8')) === 'works'
}

async function boots(kernel: string, initramfs: string): Promise<boolean> {
  const machine = [
    '-machine',
    'q35,accel=kvm',
    '-cpu',
    'host',
    '-m',
    '512M',
    '-smp',
    '1',
    '-nodefaults',
    '-no-reboot',
  ]
  const console = ['-display', 'none', '-serial', 'stdio']
  const boot = [
    '-kernel',
    kernel,
    '-initrd',
    initramfs,
    '-append',
    'console=ttyS0 quiet panic=-1 rdinit=/probe.sh',
  ]
  try {
    const said = await runTool(['qemu-system-x86_64', ...machine, ...console, ...boot], {
      timeoutMs: PROBE_TIMEOUT_MS,
    })
    return said.includes('netts: user space is up')
  } catch {
    return false // it hung, or QEMU could not use KVM
  }
}
