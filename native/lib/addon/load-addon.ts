/** Loads the compiled addon, when it is first needed. */
import { NettsError } from '@netts/core'
import { LAYOUT } from '../verbs/layout.js'
import { addonFile, addonFiles, addonTarget } from './addon-file.js'
import type { NativeBinding } from './native-binding.js'
import { unsupportedRuntime } from './runtime.js'

let loaded: NativeBinding | undefined

/** @throws NettsError `ERR_NETTS_UNAVAILABLE` unless the binary agrees with `layout.ts` in every name and number */
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
 * @throws NettsError `ERR_NETTS_UNAVAILABLE` when there is none for this machine, it cannot be loaded, or the runtime
 *   is not Node.js
 */
export function loadAddon(): NativeBinding {
  if (loaded !== undefined) return loaded
  const runtime = unsupportedRuntime()
  if (runtime !== undefined) throw cannotLoad(`the addon runs in Node.js, and this is ${runtime}`)
  const path = addonFile()
  if (path === undefined) {
    throw cannotLoad(`no compiled addon for ${addonTarget()}: none of ${addonFiles().join(', ')} exists`)
  }
  const module = { exports: {} as NativeBinding }
  try {
    // What require() does for a .node file; it works in ESM, CJS and bundles alike.
    process.dlopen(module, path)
  } catch (cause) {
    throw cannotLoad(`cannot load ${path}: ${(cause as Error).message}`, cause)
  }
  checkLayout(module.exports, path)
  loaded = module.exports
  return loaded
}

function cannotLoad(why: string, cause?: unknown): NettsError {
  const details = cause === undefined ? {} : { cause }
  return new NettsError('ERR_NETTS_UNAVAILABLE', why, { operation: 'load', ...details })
}
