/** How long delivering may go on before the event loop gets a turn: one budget for all connections of a process. */
import { clock, now } from './event-loop.js'

/** Timers and other sockets wait at most about this long for a saturated connection. */
const BUDGET_MS = 1
/** Asking for the time, and for a turn, costs as much as some messages: it is done for one message in so many. */
const MESSAGES_PER_LOOK = 32

let messages = 0
let isWatching = false
let spentAtMs = 0
let isSpent = false

/**
 * Counts one message on its way to the program.
 * @returns whether it has to wait for the event loop's next turn
 */
export function takeTurn(): boolean {
  if (isSpent) return false
  if (++messages < MESSAGES_PER_LOOK) return true
  messages = 0
  if (!isWatching) {
    isWatching = true
    spentAtMs = now() + BUDGET_MS
    clock.setImmediate(onTurn)
  } else if (now() >= spentAtMs) {
    isSpent = true
  }
  return true
}

function onTurn(): void {
  isWatching = isSpent = false
}
