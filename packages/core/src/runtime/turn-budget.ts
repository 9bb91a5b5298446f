/**
 * How long messages may be delivered before the event loop gets its turn: one budget for all connections of a process, and
 * one queue of the connections that have to wait.
 */
import { clock, now } from './event-loop.js'

/** How long timers and other sockets wait for a saturated connection, about, in milliseconds. */
const BUDGET_MS = 1
/** Asking for the time costs as much as several messages: it is done for one message in so many at most. */
const MAX_MESSAGES_PER_LOOK = 32

/** A connection that has messages left to deliver. */
export interface Deferred {
  /** Continues, in a turn of its own. */
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
 * Counts one message that is about to be delivered to the program.
 * @returns `false` when the budget of this turn of the event loop is spent: deliver the message in a later turn
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
 * Whether messages arrive faster than they are delivered: the budget was spent in this turn or the last one, or a connection
 * waits for its turn. A driver should then leave further input in the kernel or with the peer, instead of piling it up.
 *
 * A connection that has the turn it waited for sees only its own budget: otherwise two connections that wait would block
 * each other.
 */
export function isSaturated(): boolean {
  return isSpent || (!isServing && (wasSpent || queue.length > 0))
}

/**
 * Continues in a later turn: one caller in each turn, in the order of the calls. The caller gets most of that turn's budget,
 * also for messages that arrive meanwhile, whose memory is still in the processor's caches. One turn for all callers
 * doubled the processor time of a message over 64 TCP connections.
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
  // Watch one more turn, to see the end of the saturation.
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
