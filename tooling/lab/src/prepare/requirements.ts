/** What a machine must have for the lab to boot guests; as root on Debian, what is missing is installed. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { LabError, type Progress, withHeartbeat } from '../progress.js'
import { runTool } from './tools.js'

/** A file that shows that a Debian package is installed: a program on the path, or an absolute path. */
const REQUIRED: readonly (readonly [packageName: string, evidence: string])[] = [
  // For this machine, to prepare and run a guest.
  ['qemu-system-x86', 'qemu-system-x86_64'],
  ['gcc', 'gcc'],
  ['make', 'make'],
  ['xz-utils', 'xz'],
  ['libc6-dev', '/usr/include/elf.h'],
  ['binutils', 'strip'],
  ['util-linux', 'setpriv'],
  // For the commands in the guest, which see this machine's files.
  ['iproute2', 'rdma'],
  ['rdma-core', '/etc/rdma/modules'],
  ['ibverbs-providers', '/etc/libibverbs.d/rxe.driver'],
  ['libibverbs-dev', '/usr/include/infiniband/verbs.h'],
  ['librdmacm-dev', '/usr/include/rdma/rdma_cma.h'],
  ['ibverbs-utils', 'ibv_devinfo'],
  ['rdmacm-utils', 'rping'],
  ['perftest', 'ib_send_lat'],
]

/** Where the lab cannot run, this has it all. */
export const CONTAINER =
  'docker run --rm -it -v "$PWD":"$PWD" -w "$PWD" node:20-bookworm npx pnpm lab -- COMMAND'

/** What decides whether guests can be booted on a machine. */
export interface Machine {
  readonly platform: string
  readonly architecture: string
  readonly isRoot: boolean
  readonly hasApt: boolean
  /** The Debian packages that the lab needs and this machine lacks. */
  readonly missing: readonly string[]
}

/** The packages to install; a {@link LabError} with the command that mends it where the lab cannot do that. */
export function packagesToInstall({
  platform,
  architecture,
  isRoot,
  hasApt,
  missing,
}: Machine): readonly string[] {
  if (platform !== 'linux' || architecture !== 'x64') {
    const here = `${platform} on ${architecture}`
    throw new LabError(`the lab needs Linux on x64, this is ${here}. In a container:\n  ${CONTAINER}`)
  }
  if (!hasApt) {
    throw new LabError(
      `the lab takes its kernel from Debian's archive with apt. In a container:\n  ${CONTAINER}`,
    )
  }
  if (missing.length > 0 && !isRoot) {
    const install = `sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`
    throw new LabError(`the lab needs ${missing.join(', ')}:\n  sudo apt-get update && ${install}`)
  }
  return missing
}

/** Makes sure that guests can be booted, or throws a {@link LabError} that says the command that mends it. */
export async function ensureRequirements(progress: Progress): Promise<void> {
  const missing = packagesToInstall({
    platform: process.platform,
    architecture: process.arch,
    isRoot: process.getuid?.() === 0,
    hasApt: findProgram('apt-get') !== undefined,
    missing: missingPackages(),
  })
  if (missing.length === 0) return
  await updatePackageLists(progress)
  await withHeartbeat(progress, `installing ${missing.join(', ')}`, async () => {
    await apt('install', '-y', '--no-install-recommends', ...missing)
  })
  const still = missingPackages()
  if (still.length > 0) throw new LabError(`still missing after the installation: ${still.join(', ')}`)
}

/** Brings apt's lists up to date; only root may. */
export async function updatePackageLists(progress: Progress): Promise<void> {
  await withHeartbeat(progress, 'updating the package lists', async () => await apt('update'))
}

async function apt(command: string, ...words: string[]): Promise<void> {
  const patience = ['-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']
  await runTool(['apt-get', command, ...patience, ...words], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
}

function missingPackages(): string[] {
  return REQUIRED.filter(([, evidence]) => !isThere(evidence)).map(([packageName]) => packageName)
}

function isThere(evidence: string): boolean {
  return evidence.startsWith('/') ? existsSync(evidence) : findProgram(evidence) !== undefined
}

/** Where a program is. Not every user's path has the administrator's folders. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}
