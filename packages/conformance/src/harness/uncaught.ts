/** Collects uncaught exceptions and unhandled rejections that a rule provokes, so that the test runner does not see them. */

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const

/** @returns the uncaught exceptions and unhandled rejections while `body` ran */
export async function uncaughtDuring(body: () => Promise<void>): Promise<unknown[]> {
  const uncaught: unknown[] = []
  const note = (error: unknown) => void uncaught.push(error)
  const others = EVENTS.map((event) => ({ event, listeners: process.rawListeners(event) }))
  for (const event of EVENTS) {
    process.removeAllListeners(event)
    process.on(event, note)
  }
  try {
    await body()
    // Node.js reports an unhandled rejection after the microtasks of its turn.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    for (const { event, listeners } of others) {
      process.removeAllListeners(event)
      for (const listener of listeners) process.on(event, listener as () => void)
    }
  }
  return uncaught
}
