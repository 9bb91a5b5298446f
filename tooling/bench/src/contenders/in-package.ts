/** Where the files of this package are. */
import { fileURLToPath } from 'node:url'

/** From here as from the bundles, which are one folder nearer to the package's root. */
export function inPackage(path: string): string {
  const up = import.meta.url.endsWith('.ts') ? '../..' : '..'
  return fileURLToPath(new URL(`${up}/${path}`, import.meta.url))
}
