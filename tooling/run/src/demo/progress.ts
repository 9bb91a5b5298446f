/** Progress while a transport is measured: a bar on a terminal, a line elsewhere. Always on stderr. */
import { SingleBar } from 'cli-progress'

/** Progress of one transport. */
export interface ProgressDisplay {
  /** So many more messages are done. */
  add(messages: number): void
  stop(): void
}

/** Shows progress towards `total` messages. */
export function createProgress(title: string, total: number): ProgressDisplay {
  if (!process.stderr.isTTY) {
    console.error(`${title}: measuring…`)
    return { add: () => {}, stop: () => {} }
  }
  const bar = new SingleBar({ format: `${title.padEnd(24)} [{bar}] {percentage} %`, hideCursor: true })
  bar.start(total, 0)
  let done = 0
  let shown = 0
  return {
    add(messages) {
      done += messages
      // Drawing is dear; a hundredth at a time is smooth enough.
      if (done - shown >= total / 100) {
        shown = done
        bar.update(done)
        bar.render()
      }
    },
    stop: () => bar.stop(),
  }
}
