/** Recognizes the runtimes in which the addon cannot run. */

/** The names of the runtimes, by the key of `process.versions` that each has. */
const NAMES = { bun: 'Bun', deno: 'Deno' } as const

/**
 * The name and version of a runtime that is not Node.js, else `undefined`. Such runtimes lack libuv, with which the
 * addon waits for events: Bun ends the process when an addon calls it.
 */
export function unsupportedRuntime(): string | undefined {
  for (const [key, name] of Object.entries(NAMES)) {
    const version = process.versions[key]
    if (version !== undefined) return `${name} ${version}`
  }
  return undefined
}
