/** Compiles the addon by node-gyp, and puts what came out where it is loaded from. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** The package's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Copies the sources into a folder below `src/build`: node-gyp has one output folder for each source folder.
 * @returns the copy's path
 */
export function copyOfSources(name) {
  const copy = `${root}src/build/${name}`
  for (const entry of readdirSync(`${root}src`)) {
    if (entry !== 'build')
      cpSync(`${root}src/${entry}`, `${copy}/${entry}`, { recursive: true, preserveTimestamps: true })
  }
  return copy
}

/**
 * Compiles; a second time only what changed.
 * @param source a folder with binding.gyp
 * @param options arguments of node-gyp's configuration, its GYP definitions, and environment variables
 * @returns whether it compiled
 */
export function compile(source, { args = [], defines = [], env = {} } = {}) {
  const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')
  const command = existsSync(`${source}/build/Makefile`) ? 'build' : 'rebuild'
  const definitions = command === 'rebuild' && defines.length > 0 ? ['--', ...defines] : []
  const words = [nodeGyp, command, `--directory=${source}`, '--silent', ...args, ...definitions]
  const { status } = spawnSync(process.execPath, words, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  return status === 0
}

/** Copies compiled files into a folder of the package. Each is renamed into place: a process keeps the one it loaded. */
export function place(source, folder, names = ['netts_verbs']) {
  mkdirSync(`${root}${folder}`, { recursive: true })
  for (const name of names) {
    const file = `${root}${folder}/${name}.node`
    copyFileSync(`${source}/build/Release/${name}.node`, `${file}.new`)
    renameSync(`${file}.new`, file)
  }
  console.log(`@netts/verbs: built ${folder}/${names[0]}.node`)
}
