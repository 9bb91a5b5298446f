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

const HEARTBEAT_MS = 5_000

/**
 * Reports `label`, and again while `work` takes long: every 5 s, with how far it got.
 *
 * @param status says how far, such as `43 %`
 */
export async function withHeartbeat<T>(
  progress: Progress,
  label: string,
  work: () => Promise<T>,
  status: () => string | Promise<string> = () => '',
): Promise<T> {
  progress(label)
  const started = performance.now()
  const beat = setInterval(async () => {
    const details = [`${Math.round((performance.now() - started) / 1000)} s`, await status()]
    progress(`… ${label}: ${details.filter(Boolean).join(', ')}`)
  }, HEARTBEAT_MS)
  try {
    return await work()
  } finally {
    clearInterval(beat)
  }
}
