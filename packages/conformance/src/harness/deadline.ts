/** Deadlines of the tests: a test that hangs fails and says what it waited for. */
import assert from 'node:assert/strict'

/** Fails when the promise has not settled in time. */
export async function within<T>(deadlineMs: number, what: string, promise: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new assert.AssertionError({ message: `waited ${deadlineMs} ms for ${what}` })),
      deadlineMs,
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Polls a condition until it is true. */
export async function eventually(
  deadlineMs: number,
  what: string | (() => string),
  isTrue: () => boolean | Promise<boolean>,
): Promise<void> {
  const started = performance.now()
  for (let waitMs = 1; !(await isTrue()); waitMs = Math.min(waitMs * 2, 50)) {
    if (performance.now() - started > deadlineMs) {
      assert.fail(`waited ${deadlineMs} ms for ${typeof what === 'string' ? what : what()}`)
    }
    await pause(waitMs)
  }
}

/**
 * A promise that the test awaits later. If the test fails before that, a rejection of the promise is not reported as
 * unhandled.
 */
export function meanwhile<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** Waits so many milliseconds; timers and I/O run meanwhile. No rule may depend on the exact time. */
export function pause(ms = 20): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits for one iteration of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Blocks the event loop for so many milliseconds. */
export function block(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}
