/** Calls of the program's listeners and callbacks. */
import { nextTick } from '@netts/core/driver'

/** Runs code of the program. What it throws is an uncaught exception, as in any callback of Node.js; the stream continues. */
export function runProgram(action: () => void): void {
  try {
    action()
  } catch (error) {
    nextTick(() => {
      throw error
    })
  }
}
