/** Progress of long work: a bar on a terminal, a line for each step elsewhere. Always on the standard error. */
import { SingleBar } from 'cli-progress'

/** A progress display. */
export interface Progress {
  /** Shows that a step begins. */
  step(name: string): void
  /** Shows how much is done, of the `total`. */
  done(amount: number): void
  /** Removes the display. */
  stop(): void
}

/** Shows progress. @param isQuiet whether to show nothing */
export function showProgress(title: string, total: number, isQuiet = false): Progress {
  if (isQuiet) return { step: () => {}, done: () => {}, stop: () => {} }
  if (!process.stderr.isTTY) {
    return { step: (name) => console.error(`${title}: ${name}`), done: () => {}, stop: () => {} }
  }
  const bar = new SingleBar({
    format: `${title} [{bar}] {percentage} % {step}`,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 20,
  })
  bar.start(total, 0, { step: '' })
  return {
    step: (name) => bar.update({ step: name }),
    done: (amount) => bar.update(amount),
    stop: () => bar.stop(),
  }
}
