/** A package as each package manager installs it alone: every entry point is imported, its README's programs run. */
import { join } from 'node:path'
import { readmeExamples } from '../packages/readme.js'
import { ScratchProject } from '../packages/scratch-project.js'
import { type PublicPackage, withDependencies } from '../packages/workspace.js'
import type { Manager } from './managers.js'

/** What came of it. */
export interface Installed {
  /** How many programs of the README ran to their end. */
  readonly examples: number
  /** What went wrong, a sentence each. */
  readonly failures: readonly string[]
}

/** The programs of a package's README, and the other packages of this workspace that they import. */
function programsOf(target: PublicPackage) {
  const programs = readmeExamples(join(target.directory, 'README.md')).filter(
    ({ language }) => language === 'js',
  )
  const imported = programs.flatMap(({ code }) =>
    [...code.matchAll(/from '(@netts\/[\w-]+)/g)].map((match) => match[1]!),
  )
  return { programs, others: [...new Set(imported)].filter((name) => name !== target.name) }
}

/**
 * Installs the package into an empty folder with nothing but its peers and what its README's programs import, and runs them.
 * @param tarballs of every package, by name
 */
export function tryInstalled(
  target: PublicPackage,
  manager: Manager,
  all: readonly PublicPackage[],
  tarballs: ReadonlyMap<string, string>,
): Installed {
  using project = new ScratchProject()
  const { programs, others } = programsOf(target)
  const wanted = [target.name, ...others]
  const needed = new Set(wanted.flatMap((name) => withDependencies(name, all)))
  // npm and pnpm install peers by themselves, Yarn does not.
  project.declare(wanted, new Map([...needed].map(({ name }) => [name, tarballs.get(name)!])), target.peers)
  try {
    manager.install(project)
  } catch (error) {
    return { examples: 0, failures: [(error as Error).message] }
  }
  const failures: string[] = []
  const run = (file: string, code: string, what: string): boolean => {
    project.write(file, code)
    const { status, stderr } = manager.run(project, file)
    if (status === 0 && stderr === '') return true
    failures.push(`${what} ended with ${status}: ${stderr}`)
    return false
  }
  const imports = target.entryPoints.map((entry) => `await import('${entry}')`).join('\n')
  const requires = target.entryPoints.map((entry) => `require('${entry}')`).join('\n')
  run('import.mjs', imports, 'importing every entry point')
  run('require.cjs', requires, 'requiring every entry point')
  const examples = programs.filter(({ code, line }) =>
    run(`readme-${line}.mjs`, code, `README.md:${line}`),
  ).length
  return { examples, failures }
}
