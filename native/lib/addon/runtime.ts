/** Tells the runtimes that can't host the addon. */

/** By the key of `process.versions` by which a runtime is recognized. */
const NAMES = { bun: 'Bun', deno: 'Deno' } as const

/**
 * The name and version of a runtime that is not Node.js, else `undefined`. Such runtimes lack libuv, by which the
 * addon waits: Bun ends the process when an addon calls it.
 */
export function unsupportedRuntime(): string | undefined {
  for (const [key, name] of Object.entries(NAMES)) {
    const version = process.versions[key]
    if (version !== undefined) return `${name} ${version}`
  }
  return undefined
}
