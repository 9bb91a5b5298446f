/** The initramfs of a guest: busybox, the modules, and the lab's own init and agent. Cached by content. */
import { createHash } from 'node:crypto'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LabError } from '../progress.js'
import { cached } from './cache.js'
import { findProgram } from './requirements.js'
import { runTool } from './tools.js'

const guestFile = (name: string) => fileURLToPath(new URL(`../guest/${name}`, import.meta.url))

/**
 * The path of the initramfs for a kernel.
 *
 * @param kernel the folder made by `kernelFolder`
 */
export async function buildInitramfs(kernel: string): Promise<string> {
  const [init, probe, agent] = await Promise.all([
    readFile(guestFile('init.sh')),
    readFile(guestFile('probe.sh')),
    readFile(guestFile('agent.c')),
  ])
  const files: Record<string, Uint8Array> = {
    init,
    'probe.sh': probe,
    'agent.c': agent,
    ...(await programWithLibraries('rdma')),
  }
  const hash = createHash('sha256')
  for (const [name, content] of Object.entries(files))
    hash.update(`${name} ${content.byteLength}\n`).update(content)
  const name = `initramfs-${basename(kernel)}-${hash.digest('hex').slice(0, 16)}`
  const folder = await cached(name, async (target) => {
    const tree = join(target, 'tree')
    await mkdir(join(tree, 'bin'), { recursive: true })
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(tree, path)), { recursive: true })
      await writeFile(join(tree, path), content, { mode: 0o755 })
    }
    await mkdir(join(tree, 'lab'))
    const compile = ['gcc', '-std=gnu17', '-O2', '-Wall', '-Wextra', '-static', '-s'] as const
    await runTool([...compile, '-o', join(tree, 'lab/agent'), join(tree, 'agent.c')])
    await cp(join(kernel, 'busybox'), join(tree, 'bin/busybox'))
    await cp(join(kernel, 'modules'), join(tree, 'modules'), { recursive: true })
    const pack = 'find . | "$1" cpio -o -H newc > ../initramfs.cpio && rm -r "$PWD"'
    await runTool(['sh', '-c', pack, 'sh', join(kernel, 'busybox')], { cwd: tree })
  })
  return join(folder, 'initramfs.cpio')
}

/** A program of this machine, and the libraries it loads at their own paths. */
async function programWithLibraries(name: string): Promise<Record<string, Uint8Array>> {
  const path = findProgram(name)
  if (path === undefined) throw new LabError(`there is no ${name} on this machine`)
  const libraries = [...(await runTool(['ldd', path])).matchAll(/(\/\S+) \(0x/g)].map(
    ([, library]) => library!,
  )
  const contents = await Promise.all(
    libraries.map(async (library) => [library, await readFile(library)] as const),
  )
  return { [`bin/${name}`]: await readFile(path), ...Object.fromEntries(contents) }
}
