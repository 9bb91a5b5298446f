/** What nobody handled, while a rule provokes it: the runner would take it for its own. */

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const

/** @returns what was thrown or rejected in the meantime and reached nobody */
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
    // A rejection counts as unhandled only once the promises of its turn have run.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    for (const { event, listeners } of others) {
      process.removeAllListeners(event)
      for (const listener of listeners) process.on(event, listener as () => void)
    }
  }
  return uncaught
}
