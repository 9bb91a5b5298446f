/**
 * How long delivering may go on before the event loop gets a turn: one budget for all connections of a process, and
 * one queue of those that have to wait.
 */
import { clock, now } from './event-loop.js'

/** Timers and other sockets wait at most about this long for a saturated connection. */
const BUDGET_MS = 1
/** Asking for the time, and for a turn, costs as much as some messages: it is done for one message in so many at most. */
const MAX_MESSAGES_PER_LOOK = 32

/** What has messages left to deliver. */
export interface Deferred {
  /** Goes on, in a turn of its own. */
  onTurn(): void
}

let messages = 0
let messagesPerLook = MAX_MESSAGES_PER_LOOK
let lookedAtMs = 0
let isWatching = false
let spentAtMs = 0
let isSpent = false
let wasSpent = false
let isServing = false
const queue: Deferred[] = []

/**
 * Counts one message on its way to the program.
 * @returns whether it has to wait for the event loop's next turn
 */
export function takeTurn(): boolean {
  if (isSpent) return false
  if (++messages < messagesPerLook) return true
  messages = 0
  if (isWatching) {
    look()
  } else {
    watch()
    begin()
  }
  return true
}

/** The budget begins. */
function begin(): void {
  lookedAtMs = now()
  spentAtMs = lookedAtMs + BUDGET_MS
}

/** Whether the budget is spent. A program that takes long over its messages is looked at more often. */
function look(): void {
  const nowMs = now()
  const tookMs = nowMs - lookedAtMs
  lookedAtMs = nowMs
  isSpent = nowMs >= spentAtMs
  if (tookMs > BUDGET_MS / 4) messagesPerLook = Math.max(1, messagesPerLook >> 1)
  else if (tookMs < BUDGET_MS / 8) messagesPerLook = Math.min(MAX_MESSAGES_PER_LOOK, messagesPerLook << 1)
}

/**
 * Whether messages arrive faster than they are delivered: the budget was spent in this turn or the last one, or somebody
 * waits for a turn. Taking in more would only pile it up, so it is left with the kernel or the peer.
 *
 * Whoever has the turn that it waited for sees its own budget alone: otherwise two that wait would hold each other back
 * for ever.
 */
export function isSaturated(): boolean {
  return isSpent || (!isServing && (wasSpent || queue.length > 0))
}

/**
 * Goes on in a later turn: one caller each turn, in the order of the calls. It gets most of that turn's budget, also
 * for what arrives meanwhile, whose memory is still in the processor's caches. A turn for all of them at once doubled
 * the processor time of a message over 64 TCP connections.
 */
export function deferTurn(deferred: Deferred): void {
  queue.push(deferred)
  watch()
}

function watch(): void {
  if (isWatching) return
  isWatching = true
  clock.setImmediate(onTurn)
}

function onTurn(): void {
  wasSpent = isSpent
  isWatching = isSpent = false
  const deferred = queue.shift()
  // One turn more, also to see the end of the saturation.
  if (wasSpent || deferred) {
    watch()
    begin()
  }
  if (!deferred) return
  isServing = true
  try {
    deferred.onTurn()
  } finally {
    isServing = false
  }
}
