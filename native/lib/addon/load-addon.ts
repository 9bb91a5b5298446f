/** Finds the compiled addon and loads it, when somebody first asks for RDMA. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { NettsError } from '@netts/core'
import { LAYOUT } from '../verbs/layout.js'
import type { NativeBinding } from './native-binding.js'

/** Where it can be, seen from `dist/` in a package and from here in the repository. */
const PLACES = ['../prebuilds/', '../../prebuilds/']

let loaded: NativeBinding | undefined

/** The file that this platform and architecture would load, whether it exists or not. */
export function addonPath(): string {
  // Another build of it, such as one with sanitizers: see `scripts/build-native.mjs`.
  const chosen = process.env.NETTS_VERBS_ADDON
  if (chosen !== undefined) return chosen
  const name = `${process.platform}-${process.arch}/netts_verbs.node`
  const paths = PLACES.map((place) => fileURLToPath(new URL(place + name, import.meta.url)))
  return paths.find((path) => existsSync(path)) ?? paths[0]!
}

/** @throws NettsError unless the binary agrees with `layout.ts` in every name and number */
function checkLayout(binding: NativeBinding, path: string): void {
  for (const [group, numbers] of Object.entries(LAYOUT)) {
    const theirs = binding.layout[group] ?? {}
    const names = new Set([...Object.keys(numbers), ...Object.keys(theirs)])
    for (const name of names) {
      if ((numbers as Readonly<Record<string, number>>)[name] === theirs[name]) continue
      throw new NettsError(
        'ERR_NETTS_UNAVAILABLE',
        `${path} belongs to another version of @netts/verbs: ${group}.${name} differs. Reinstall the package`,
      )
    }
  }
}

/**
 * The addon, the same each time.
 *
 * @throws NettsError `ERR_NETTS_UNAVAILABLE` when there is none for this platform, or it can't be loaded
 */
export function loadAddon(): NativeBinding {
  if (loaded !== undefined) return loaded
  const path = addonPath()
  const module = { exports: {} as NativeBinding }
  try {
    // What require() does for a .node file; it works in ESM and CJS alike.
    process.dlopen(module, path)
  } catch (cause) {
    const why = existsSync(path)
      ? `cannot load ${path}: ${(cause as Error).message}`
      : `no compiled addon for ${process.platform}-${process.arch} in this package (${path})`
    throw new NettsError('ERR_NETTS_UNAVAILABLE', why, { cause, operation: 'load' })
  }
  checkLayout(module.exports, path)
  loaded = module.exports
  return loaded
}
