/** Where things are in this repository. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
/** The folder of the pages; `reference` and `api` in it are generated. */
export const PAGES = fileURLToPath(new URL('../pages', import.meta.url))
/** The repository's files in the browser. */
export const REPOSITORY_URL = 'https://github.com/netts/netts'

/** @param path from the repository's root */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
