/** Calls into the program: its listeners and callbacks. */
import { nextTick } from '@netts/core/driver'

/** Runs what belongs to the program. What it throws is uncaught, as in any callback of Node.js; the stream goes on. */
export function runProgram(action: () => void): void {
  try {
    action()
  } catch (error) {
    nextTick(() => {
      throw error
    })
  }
}
