/**
 * Running without a guest: with the RDMA devices this machine has, or, as root, with software devices made
 * for this run and removed after it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { LabDevice, LabDeviceType } from '../devices.js'
import { findProgram } from '../prepare/requirements.js'
import { runTool } from '../prepare/tools.js'
import { LabError, type Progress } from '../progress.js'

export interface NativeDevices extends AsyncDisposable {
  readonly devices: readonly LabDevice[]
}

const CLASS = '/sys/class/infiniband'

/** The usable devices of this machine: with an active port, an address, and permission to open them. */
export async function presentDevices(): Promise<LabDevice[]> {
  if (!existsSync(CLASS)) return []
  try {
    accessSync('/dev/infiniband/rdma_cm', constants.R_OK | constants.W_OK)
  } catch {
    return []
  }
  const links = JSON.parse(await runTool(['rdma', '-j', 'link'])) as RdmaLink[]
  return links.flatMap(({ ifname: name, state, netdev = '' }) => {
    const address = networkInterfaces()[netdev]?.find(({ family }) => family === 'IPv4')?.address
    return state !== 'ACTIVE' || address === undefined ? [] : [{ name, type: typeOf(name), address, netdev }]
  })
}

/** What `rdma -j link` says of a port. */
interface RdmaLink {
  /** The verbs device. */
  ifname: string
  state: string
  netdev?: string
}

/** A software device has no hardware below it; iWARP adapters call themselves RNIC. */
function typeOf(name: string): LabDeviceType {
  if (existsSync(join(CLASS, name, 'device/driver'))) return 'hardware'
  return readText(join(CLASS, name, 'node_type')).includes('RNIC') ? 'siw' : 'rxe'
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/**
 * Makes software devices (those wanted; else Soft-RoCE, and Soft-iWARP where the kernel has it) on dummy network
 * devices of this run's own; `undefined` where this machine cannot.
 * They are removed when disposed, and also when this process dies in any way.
 */
export async function makeDevices(
  wanted: readonly ('rxe' | 'siw')[] | undefined,
  progress: Progress,
): Promise<NativeDevices | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined
  if (findProgram('rdma') === undefined) return undefined
  const types: ('rxe' | 'siw')[] = []
  for (const type of wanted ?? (['rxe', 'siw'] as const)) if (await hasDriver(type)) types.push(type)
  if (wanted ? types.length < wanted.length : !types.includes('rxe')) return undefined
  progress(`making ${types.join(' and ')} on this machine, without a guest`)
  // The process id makes names and subnets differ between labs that run at the same time.
  const run = process.pid % 0xffff
  const made: LabDevice[] = types.map((type, index) => ({
    name: `${type}${run}`,
    type,
    address: `10.${96 + index}.${run >> 8}.${run & 0xff || 1}`,
    netdev: `netts${type}${run}`,
  }))
  const remover = spawn(
    'sh',
    ['-c', `cat > /dev/null; for d; do ip link delete "$d"; done`, 'sh', ...made.map(({ netdev }) => netdev)],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    },
  )
  const dispose = async () => {
    const gone = once(remover, 'exit')
    remover.stdin.end()
    await gone
  }
  try {
    for (const { name, type, address, netdev } of made) {
      await runTool(['ip', 'link', 'add', netdev, 'type', 'dummy'])
      await runTool(['ip', 'address', 'add', `${address}/32`, 'dev', netdev])
      await runTool(['ip', 'link', 'set', netdev, 'mtu', '9000', 'up'])
      await runTool(['rdma', 'link', 'add', name, 'type', type, 'netdev', netdev])
    }
  } catch (error) {
    await dispose()
    if (error instanceof LabError) {
      progress(`software devices cannot be made on this machine: ${error.message}`)
      return undefined
    }
    throw error
  }
  return { devices: made, [Symbol.asyncDispose]: dispose }
}

/** Whether the kernel has the driver of a software device, loading it if need be. */
async function hasDriver(type: 'rxe' | 'siw'): Promise<boolean> {
  const module = type === 'rxe' ? 'rdma_rxe' : 'siw'
  if (existsSync(join('/sys/module', module))) return true
  return await runTool(['modprobe', module]).then(
    () => true,
    () => false,
  )
}
