/** Waiting on a transport. */
import type { Transport } from '@netts/core'

/** Waits, by the waker rules, until the condition holds. */
export function until(transport: Transport, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (!condition()) return
      transport.waker = undefined
      resolve()
    }
    transport.waker = check
    check()
  })
}
