/** Which TypeScript users have, how it finds packages, and a program that compiles where every type was found. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Compiler, ProgramResult, ScratchProject } from './scratch-project.js'

/** The program: it compiles only where none of the types has become `any`. */
export const USES = readFileSync(fileURLToPath(new URL('programs/types.ts', import.meta.url)), 'utf8')

/** How Node.js resolves, without the DOM, how bundlers do, beside the DOM, and how Node.js did before version 12. */
const RESOLUTIONS = {
  nodenext: { files: ['esm.mts', 'cjs.cts'], options: { module: 'nodenext', lib: ['es2022'] } },
  node16: { files: ['esm.mts', 'cjs.cts'], options: { module: 'node16', lib: ['es2022'] } },
  bundler: {
    files: ['bundled.ts'],
    options: { module: 'preserve', moduleResolution: 'bundler', lib: ['es2022', 'dom'] },
  },
  node10: {
    files: ['old.ts'],
    options: { module: 'commonjs', moduleResolution: 'node10', lib: ['es2022'] },
  },
}

/** A way in which a compiler finds packages. */
export type Resolution = keyof typeof RESOLUTIONS

/** Every way that a compiler knows. */
export const MATRIX: readonly { compiler: Compiler; resolutions: readonly Resolution[] }[] = [
  { compiler: 'typescript-5.4', resolutions: ['node16', 'nodenext', 'bundler', 'node10'] },
  { compiler: 'typescript-5.9', resolutions: ['node16', 'nodenext', 'bundler', 'node10'] },
  { compiler: 'typescript', resolutions: ['node16', 'nodenext', 'bundler', 'node10'] },
  { compiler: 'typescript-7', resolutions: ['node16', 'nodenext', 'bundler'] },
]

/**
 * Compiles the program once for each resolution and each `skipLibCheck`, in one process: that takes half the time.
 * @param types the compiler's option: which packages of `@types` the project itself asks for
 */
export function checkTypes(
  project: ScratchProject,
  compiler: Compiler,
  resolutions: readonly Resolution[],
  types: readonly string[] = [],
): ProgramResult {
  const folders = resolutions.flatMap((resolution) =>
    [true, false].map((skipLibCheck) => {
      const folder = `${compiler}, ${resolution}${skipLibCheck ? ', skipLibCheck' : ''}`
      const { files, options } = RESOLUTIONS[resolution]
      for (const file of files) project.write(`${folder}/${file}`, USES)
      const deprecated = compiler === 'typescript' && resolution === 'node10' && { ignoreDeprecations: '6.0' }
      project.configure(folder, files, { ...options, ...deprecated, skipLibCheck, types })
      return folder
    }),
  )
  return project.tsc(compiler, ['--build', ...folders])
}

/** Compiles the program in a project that the compiler's own `--init` makes. */
export function checkInitialized(
  project: ScratchProject,
  compiler: Compiler,
  type: 'module' | 'commonjs',
): ProgramResult {
  const folder = `made by ${compiler}, ${type}`
  project.write(`${folder}/package.json`, JSON.stringify({ type }))
  project.write(`${folder}/index.ts`, USES)
  const made = project.tsc(compiler, ['--init'], folder)
  return made.status === 0 ? project.tsc(compiler, ['--noEmit', '-p', '.'], folder) : made
}
