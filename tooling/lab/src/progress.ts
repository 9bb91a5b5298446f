/** What the lab says about its own work: short lines on standard error, apart from the command's output. */

/** Receives one line about what the lab is doing now. */
export type Progress = (line: string) => void

/** The default {@link Progress}: lines on standard error, each marked as the lab's. */
export function reportOnStderr(line: string): void {
  process.stderr.write(`lab: ${line}\n`)
}

/** Something the lab needs is missing or failed; the message says what mends it. */
export class LabError extends Error {
  override readonly name = 'LabError'
}
