/** Opens a lab: this machine, one guest, or two guests with a link between them. */
import { join } from 'node:path'
import { devicesFromEnvironment, type LabDevice } from './devices.js'
import type { Host } from './host.js'
import { connectGuest, type Guest } from './machine/guest.js'
import { createLink, type Link } from './machine/link.js'
import { type Machine, startMachine } from './machine/qemu.js'
import { makeDevices, presentDevices } from './native/devices.js'
import { createNativeHost } from './native/host.js'
import { temporaryFolder } from './prepare/cache.js'
import { buildInitramfs } from './prepare/initramfs.js'
import { kernelFolder } from './prepare/kernel.js'
import { kvmWorks } from './prepare/kvm.js'
import { ensureRequirements } from './prepare/requirements.js'
import { type Progress, reportOnStderr, withHeartbeat } from './progress.js'

/** The software devices of Linux: Soft-RoCE and Soft-iWARP. */
export type SoftDeviceType = 'rxe' | 'siw'

export interface LabOptions {
  /** @default both, `['rxe', 'siw']` */
  devices?: readonly SoftDeviceType[]
  /** Of each guest. @default 2, and 1 for each of a pair */
  cpus?: number
  /** Of each guest. @default 4096 */
  memoryMiB?: number
  /** How long a guest may take until it runs commands. @default 120_000 */
  bootTimeoutMs?: number
  /** A folder, by absolute path, that guests can write to; what they write is on this machine at once. */
  resultsFolder?: string
  /** @default lines on standard error */
  progress?: Progress
  /** More arguments for QEMU. */
  qemuArguments?: readonly string[]
}

/** One host. */
export interface Lab<H extends Host = Host> extends AsyncDisposable {
  readonly host: H
}

/** Two guests, wired to each other. */
export interface LabPair extends AsyncDisposable {
  readonly hosts: readonly [Guest, Guest]
  readonly link: Link
}

/** Where this machine has, or can make, devices of all the types asked for: this machine. Else a guest. */
export async function openLab(options: LabOptions = {}): Promise<Lab> {
  return (await openNativeLab(options)) ?? (await openGuest(options))
}

/** This machine, if it has RDMA devices or, as root, can make the software ones. */
export async function openNativeLab(options: LabOptions = {}): Promise<Lab | undefined> {
  const given = devicesFromEnvironment() // a lab within a lab uses what the outer one gave
  const present = given.length > 0 ? given : await presentDevices()
  const usable = options.devices
    ? present.filter(({ type }) => options.devices?.some((t) => t === type))
    : present
  const enough = options.devices
    ? options.devices.every((t) => usable.some(({ type }) => type === t))
    : usable.length > 0
  const made = enough ? undefined : await makeDevices(options.devices, options.progress ?? reportOnStderr)
  if (!enough && made === undefined) return undefined
  const devices: readonly LabDevice[] = made?.devices ?? usable
  const programs = await temporaryFolder()
  return {
    host: createNativeHost(devices, programs, options.resultsFolder),
    async [Symbol.asyncDispose]() {
      await Promise.all([programs[Symbol.asyncDispose](), made?.[Symbol.asyncDispose]()])
    },
  }
}

/** One guest. */
export async function openGuest(options: LabOptions = {}): Promise<Lab<Guest>> {
  const machines = await startMachines(1, options)
  const [host] = await bootAll(machines, options)
  return { host: host!, [Symbol.asyncDispose]: () => cutAll(machines) }
}

/** Two guests with a link between them; each finds the other's addresses in its devices' `peerAddress`. */
export async function openPair(options: LabOptions = {}): Promise<LabPair> {
  const machines = await startMachines(2, options)
  const end = (machine: Machine, index: number) => ({
    card: machine.networkCards[index]!,
    setCarrier: async (up: boolean) => {
      await machine.monitor.execute('set_link', { name: `card${index}`, up })
    },
  })
  const [one, two] = machines as [Machine, Machine]
  const link = createLink(one.networkCards.map((_, index) => [end(one, index), end(two, index)] as const))
  const hosts = (await bootAll(machines, options)) as [Guest, Guest]
  return { hosts, link, [Symbol.asyncDispose]: () => cutAll(machines) }
}

/** What guests are booted from. */
export interface GuestFiles {
  readonly kernel: string
  readonly initramfs: string
  /** Whether KVM works here. */
  readonly kvm: boolean
}

/**
 * Makes sure that guests can be booted here: installs and downloads what is missing, where it can. Rejects
 * with what is missing and the command that mends it. Quick once everything is cached.
 */
export async function prepareGuests(progress: Progress): Promise<GuestFiles> {
  await ensureRequirements(progress)
  const folder = await kernelFolder(progress)
  const kernel = join(folder, 'kernel')
  const initramfs = await buildInitramfs(folder)
  return { kernel, initramfs, kvm: await kvmWorks(kernel, initramfs, progress) }
}

async function startMachines(count: 1 | 2, options: LabOptions): Promise<Machine[]> {
  const { kernel, initramfs, kvm } = await prepareGuests(options.progress ?? reportOnStderr)
  const devices = options.devices ?? ['rxe', 'siw']
  return Array.from({ length: count }, (_, index) =>
    startMachine({
      kernel,
      initramfs,
      kernelArguments: `netts.devices=${devices.join(',')} netts.host=${index + 1} netts.hosts=${count}`,
      kvm,
      cpus: options.cpus ?? (count === 1 ? 2 : 1),
      memoryMiB: options.memoryMiB ?? 4096,
      // Locally administered addresses; a card for rxe and one for siw, which stay eth0 and eth1.
      macAddresses: count === 1 ? [] : [0, 1].map((card) => `02:6e:74:00:0${card}:0${index + 1}`),
      writableFolder: options.resultsFolder,
      extraArguments: options.qemuArguments ?? [],
    }),
  )
}

async function bootAll(machines: readonly Machine[], options: LabOptions): Promise<Guest[]> {
  const progress = options.progress ?? reportOnStderr
  const started = performance.now()
  const boot = async (machine: Machine, index: number) =>
    await connectGuest(machine, {
      name: machines.length === 1 ? 'the guest' : `host ${index + 1}`,
      bootTimeoutMs: options.bootTimeoutMs ?? 120_000,
      writableFolder: options.resultsFolder,
    })
  try {
    const label = machines.length === 1 ? 'booting a guest' : 'booting two guests'
    const guests = await withHeartbeat(progress, label, async () => await Promise.all(machines.map(boot)))
    progress(`booted in ${((performance.now() - started) / 1000).toFixed(1)} s`)
    return guests
  } catch (error) {
    await cutAll(machines)
    throw error
  }
}

async function cutAll(machines: readonly Machine[]): Promise<void> {
  await Promise.all(machines.map((machine) => machine.powerCut()))
}
