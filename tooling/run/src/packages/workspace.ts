/** The workspace's public packages, and how to pack them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const root = fileURLToPath(new URL('../../../..', import.meta.url))

/** A package that is published. */
export interface PublicPackage {
  readonly name: string
  /** Its folder. */
  readonly directory: string
  /** The names of the workspace's packages that it depends on. */
  readonly dependencies: readonly string[]
  /** What a user has to install beside it, with its version. */
  readonly peers: Readonly<Record<string, string>>
  /** Its entry points as a user imports them, such as `@netts/core/driver`. */
  readonly entryPoints: readonly string[]
}

interface Manifest {
  name: string
  private?: boolean
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
  exports: Record<string, unknown>
}

/** Every public package of the workspace. */
export function publicPackages(): PublicPackage[] {
  const folders = [
    ...readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name)),
    join(root, 'native'),
  ]
  return folders.flatMap((directory) => {
    const file = join(directory, 'package.json')
    if (!existsSync(file)) return []
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
    if (manifest.private) return []
    const { peerDependencies = {}, peerDependenciesMeta = {} } = manifest
    return {
      name: manifest.name,
      directory,
      dependencies: Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@netts/')),
      peers: Object.fromEntries(
        Object.entries(peerDependencies).filter(([name]) => !peerDependenciesMeta[name]?.optional),
      ),
      entryPoints: Object.keys(manifest.exports)
        .filter((entry) => !entry.endsWith('.json'))
        .map((entry) => manifest.name + entry.slice(1)),
    }
  })
}

/** Packs a package as it would be published. @returns the tarball's path */
export function pack(target: PublicPackage, destination: string): string {
  const output = execFileSync(
    join(root, 'node_modules/.bin/pnpm'),
    ['pack', '--json', '--pack-destination', destination],
    {
      cwd: target.directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  return (JSON.parse(output) as { filename: string }).filename
}

/** Everything that a package needs from the workspace, itself first. */
export function withDependencies(name: string, all: readonly PublicPackage[]): PublicPackage[] {
  const found = new Map<string, PublicPackage>()
  const visit = (wanted: string) => {
    const target = all.find((candidate) => candidate.name === wanted)
    if (!target || found.has(wanted)) return
    found.set(wanted, target)
    target.dependencies.forEach(visit)
  }
  visit(name)
  return [...found.values()]
}
