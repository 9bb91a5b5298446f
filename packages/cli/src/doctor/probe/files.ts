/** Reading the kernel's small files, which come and go. */
import { readdirSync, readFileSync } from 'node:fs'

/** The content without its line end; `undefined` where it cannot be read. */
export function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return undefined
  }
}

/** The names in a folder, sorted; none where it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
