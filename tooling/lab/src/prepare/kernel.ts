/**
 * Debian's kernel for the guests: downloaded, never installed. What is kept of it in the cache is the kernel,
 * the few modules that the lab loads with their load order, Soft-iWARP built from the kernel's own source
 * (Debian ships no `siw`), and a static busybox for the initramfs.
 */
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { LabError, type Progress } from '../progress.js'
import { cached, newestCached, temporaryFolder } from './cache.js'
import { CONTAINER, updatePackageLists } from './requirements.js'
import { buildSiw } from './siw.js'
import { runTool, unpackPackages } from './tools.js'

/**
 * Modules to load, in this order, each after what it depends on. crc32_generic and crc32c_generic are what
 * rxe and libcrc32c ask the crypto API for as they load, unknown to modules.dep; two dummies give each
 * device a network device of its own.
 */
const MODULES: readonly (readonly [name: string, parameters: string])[] = [
  ['virtio_pci', ''],
  ['virtio_console', ''],
  ['virtio_net', ''],
  ['9pnet_virtio', ''],
  ['9p', ''],
  ['overlay', ''],
  ['dummy', 'numdummies=2'],
  ['veth', ''],
  ['sch_netem', ''],
  ['crc32_generic', ''],
  ['crc32-pclmul', ''],
  ['crc32c_generic', ''],
  ['libcrc32c', ''],
  ['iw_cm', ''],
  ['ib_uverbs', ''],
  ['rdma_ucm', ''],
  ['rdma_rxe', ''],
  ['siw', ''],
]

/** The first bytes of an xz stream; from the .xz file format, 2.1.1.1. */
const XZ_MAGIC = Buffer.from('fd377a585a00', 'hex')

/** Distinguishes cache entries that other versions of this file made. */
const RECIPE = createHash('sha256')
  .update(`2 ${JSON.stringify(MODULES)}`)
  .digest('hex')
  .slice(0, 8)

/** The cache entry with a kernel: the newest one there, else a new one for the distribution's current kernel. */
export async function kernelFolder(progress: Progress): Promise<string> {
  const newest = await newestCached(new RegExp(`^kernel-.*-${RECIPE}$`))
  if (newest !== undefined) return newest
  const build = async () => {
    const version = await currentVersion(progress)
    return await cached(`kernel-${version}-${RECIPE}`, (folder) =>
      buildKernelFolder(version, folder, progress),
    )
  }
  try {
    return await build()
  } catch (error) {
    // Old package lists name versions that the archive has no longer.
    if (!(error instanceof LabError && error.message.startsWith('apt-get download'))) throw error
    if (process.getuid?.() !== 0) throw new LabError(`${error.message}\nPerhaps:\n  sudo apt-get update`)
    await updatePackageLists(progress)
    return await build()
  }
}

/** The kernel version that `linux-image-amd64` stands for now. (The -cloud- kernels have no RDMA.) */
async function currentVersion(progress: Progress): Promise<string> {
  const look = async () => {
    const depends = await runTool(['apt-cache', 'depends', 'linux-image-amd64']).catch(() => '')
    return /Depends: linux-image-(\S+)/.exec(depends)?.[1]
  }
  let version = await look()
  if (version === undefined && process.getuid?.() === 0) {
    await updatePackageLists(progress)
    version = await look()
  }
  if (version !== undefined) return version
  throw new LabError(
    `apt knows no linux-image-amd64. On Debian:\n  sudo apt-get update\nElsewhere, in a container:\n  ${CONTAINER}`,
  )
}

async function buildKernelFolder(version: string, folder: string, progress: Progress): Promise<void> {
  await using work = await temporaryFolder()
  const root = join(work.path, 'root')
  const packages = [`linux-image-${version}`, 'busybox-static']
  await unpackPackages(packages, root, `Debian's kernel ${version}`, progress)
  const busybox = join(root, 'bin/busybox')
  await copyFile(busybox, join(folder, 'busybox'))
  await keepKernel(join(root, 'boot', `vmlinuz-${version}`), join(folder, 'kernel'))
  await runTool([busybox, 'depmod', '-b', root, version])
  await mkdir(join(folder, 'modules'))
  const order = await keepModules(join(root, 'lib/modules', version), join(folder, 'modules'))
  if (!order.includes('siw.ko')) {
    await buildSiw(version, join(folder, 'modules/siw.ko'), progress)
    order.push('siw.ko')
  }
  await writeFile(join(folder, 'modules/order'), `${order.join('\n')}\n`)
}

/**
 * Keeps the kernel uncompressed, as QEMU boots it too: an emulated processor takes 3 s to decompress it.
 * One that is not packed with xz, as Debian's is, stays as it is.
 */
async function keepKernel(compressed: string, target: string): Promise<void> {
  const start = (await readFile(compressed)).indexOf(XZ_MAGIC)
  if (start === -1) return await copyFile(compressed, target)
  const unpack = 'tail -c +"$1" "$2" | xz -dc --single-stream > "$3"'
  await runTool(['sh', '-c', unpack, 'sh', String(start + 1), compressed, target])
}

/** Copies {@link MODULES} and all they depend on; returns lines of `file parameters` in load order. */
async function keepModules(modulesRoot: string, target: string): Promise<string[]> {
  const nameOf = (path: string) => basename(path).replace(/\.ko(\.xz)?$/, '')
  const known = new Map<string, { path: string; needs: string[] }>()
  for (const line of (await readFile(join(modulesRoot, 'modules.dep'), 'utf8')).split('\n')) {
    const [path, needs = ''] = line.split(':')
    if (path) known.set(nameOf(path), { path, needs: needs.split(' ').filter(Boolean).map(nameOf) })
  }
  const order: string[] = []
  const visited = new Set<string>()
  const keep = async (name: string, parameters: string): Promise<void> => {
    const module = known.get(name)
    if (module === undefined || visited.has(name)) return // one that is not known is built into the kernel
    visited.add(name)
    for (const need of module.needs) await keep(need, '')
    const file = `${name}.ko`
    const source = join(modulesRoot, module.path)
    if (source.endsWith('.xz'))
      await runTool(['sh', '-c', 'xz -dc "$1" > "$2"', 'sh', source, join(target, file)])
    else await copyFile(source, join(target, file))
    // Without its signature, which an emulated processor takes long to verify, and its debug data.
    await runTool(['strip', '--strip-debug', join(target, file)])
    order.push(`${file} ${parameters}`.trim())
  }
  for (const [name, parameters] of MODULES) await keep(name, parameters)
  return order
}
