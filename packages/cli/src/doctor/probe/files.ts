/** Reads small files of the kernel, which may disappear at any time. */
import { readdirSync, readFileSync } from 'node:fs'

/** The content without the line end; `undefined` if it cannot be read. */
export function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return undefined
  }
}

/** The names in a folder, sorted; none if it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
