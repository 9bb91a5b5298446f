/** Soft-iWARP for Debian's kernel, which ships no `siw`: built from the source package of that very kernel. */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LabError, type Progress, withHeartbeat } from '../progress.js'
import { temporaryFolder } from './cache.js'
import { runTool, unpackPackages } from './tools.js'

/** Where the driver lies in the kernel's source. */
const SIW = 'drivers/infiniband/sw/siw'

/**
 * Builds `siw.ko` and writes it to `target`. The headers are unpacked, not installed: two of their Makefiles'
 * absolute paths are moved along.
 *
 * @param version the kernel's version, such as `6.1.0-56-amd64`
 */
export async function buildSiw(version: string, target: string, progress: Progress): Promise<void> {
  const [, series, flavourless] = /^(\d+\.\d+)(\S*?)-[a-z]\w*$/.exec(version) ?? []
  if (series === undefined) throw new LabError(`cannot tell the kernel series of version ${version}`)
  await using work = await temporaryFolder()
  const root = work.path

  const headers = [`linux-headers-${version}`, `linux-headers-${series}${flavourless}-common`]
  const packages = [...headers, `linux-kbuild-${series}`, `linux-source-${series}`]
  await unpackPackages(packages, root, `the source of Linux ${series}, for Soft-iWARP`, progress)
  const archive = join(root, `usr/src/linux-source-${series}.tar.xz`)
  const inArchive = `linux-source-${series}/${SIW}`
  await runTool(['tar', '-xJf', archive, '-C', root, '--wildcards', `${inArchive}/*`])
  await cp(join(root, inArchive), join(root, 'siw'), { recursive: true })

  const headersFolder = join(root, `usr/src/linux-headers-${version}`)
  const makefile = join(headersFolder, 'Makefile')
  await writeFile(makefile, (await readFile(makefile, 'utf8')).replaceAll('/usr/src/', `${root}/usr/src/`))
  const module = join(root, 'siw')
  const make = [
    'make',
    '-j2',
    '-C',
    headersFolder,
    `M=${module}`,
    'CC=gcc',
    'CONFIG_RDMA_SIW=m',
    'modules',
  ] as const
  await withHeartbeat(progress, 'building Soft-iWARP (about 15 s, once)', async () => await runTool(make))
  await runTool(['strip', '--strip-debug', '-o', target, join(module, 'siw.ko')])
}
