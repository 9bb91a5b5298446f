/**
 * One QEMU process. All of its channels (agent, monitor, network cards) are socket pairs inherited from us,
 * so there is no port and no socket file; and it is killed by the kernel should we die first.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { createMonitor, type Monitor } from './monitor.js'

export interface MachineOptions {
  kernel: string
  initramfs: string
  /** Appended to the kernel's command line. */
  kernelArguments: string
  /** Whether the machine runs on KVM rather than emulated. */
  kvm: boolean
  cpus: number
  memoryMiB: number
  /** One network card each, by MAC address. */
  macAddresses: readonly string[]
  /** A folder of the host that the guest may write to, over 9p with the tag `results`. */
  writableFolder: string | undefined
  extraArguments: readonly string[]
}

export interface Machine {
  /** The virtio-serial port `netts.agent`. */
  readonly agent: Duplex
  readonly monitor: Monitor
  /** The network cards' frames, in the order of their MAC addresses: each a u32 length and an Ethernet frame. */
  readonly networkCards: readonly Duplex[]
  /** What the guest's serial console and QEMU itself printed last. */
  consoleTail(): string
  /** Resolves when the QEMU process is gone, with how it ended. */
  readonly exited: Promise<string>
  /** Cuts the power: the machine is gone at once, nothing in it is told. */
  powerCut(): Promise<void>
}

const CONSOLE_TAIL_LENGTH = 16_384
/**
 * Everything this QEMU can emulate, but for 5-level page tables, which make every memory access dearer, and protection
 * keys: V8 guards its code with them, and each change costs an emulated processor its whole TLB (node:net's round trip
 * took 2.4 times as long).
 */
const EMULATED = ['-accel', 'tcg,thread=multi', '-cpu', 'max,la57=off,-pku']
/** A read of the TSC is an instruction; one of the HPET, which Linux prefers here otherwise, a visit to the device. */
const KERNEL_ARGUMENTS = 'console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable net.ifnames=0'
const AGENT_FD = 3
const MONITOR_FD = 4
const FIRST_NETWORK_FD = 5

export function startMachine(options: MachineOptions): Machine {
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...qemuArguments(options)],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', ...options.macAddresses.map(() => 'pipe' as const)],
      detached: true, // a terminal's Ctrl-C is for us to translate, not for QEMU
    },
  )
  let tail = ''
  const keep = (text: string) => {
    tail = (tail + text).slice(-CONSOLE_TAIL_LENGTH)
  }
  child.stdout!.setEncoding('utf8').on('data', keep)
  child.stderr!.setEncoding('utf8').on('data', keep)
  const channel = (fd: number) => channelOf(child, fd)
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`QEMU could not be started: ${error.message}`))
    child.once('close', (status, signal) => resolve(`QEMU ended (${signal ?? `exit status ${status}`})`))
  })
  return {
    agent: channel(AGENT_FD),
    monitor: createMonitor(channel(MONITOR_FD)),
    networkCards: options.macAddresses.map((_, index) => channel(FIRST_NETWORK_FD + index)),
    consoleTail: () => tail,
    exited,
    async powerCut() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

function channelOf(child: ChildProcess, fd: number): Duplex {
  const stream = child.stdio[fd] as Duplex
  stream.on('error', () => {}) // it breaks when the machine ends, which `exited` tells
  return stream
}

function qemuArguments(options: MachineOptions): string[] {
  const writable = options.writableFolder
  return [
    ...['-machine', 'q35', '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...(options.kvm ? ['-accel', 'kvm', '-cpu', 'host'] : EMULATED),
    ...['-smp', String(options.cpus), '-m', `${options.memoryMiB}M`],
    ...['-kernel', options.kernel, '-initrd', options.initramfs],
    ...['-append', `${KERNEL_ARGUMENTS} ${options.kernelArguments}`],
    ...['-serial', 'stdio'],
    ...['-chardev', `socket,id=monitor,fd=${MONITOR_FD}`, '-mon', 'chardev=monitor,mode=control'],
    ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=agent,fd=${AGENT_FD}`],
    ...['-device', 'virtserialport,chardev=agent,name=netts.agent'],
    ...['-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap'],
    ...(writable === undefined
      ? []
      : ['-virtfs', `local,path=${quote(writable)},mount_tag=results,security_model=none,multidevs=remap`]),
    ...options.macAddresses.flatMap((mac, index) => [
      ...['-netdev', `socket,id=net${index},fd=${FIRST_NETWORK_FD + index}`],
      ...['-device', `virtio-net-pci,id=card${index},netdev=net${index},mac=${mac}`],
    ]),
    ...options.extraArguments,
  ]
}

/** QEMU's option lists double a comma that belongs to a value. */
function quote(value: string): string {
  return value.replaceAll(',', ',,')
}
