/** Deadlines as failure bounds: a test that hangs fails with what it waited for. */
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

/** Waits until a condition that nothing announces is true. */
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
 * Something that goes on while the test does other things, and is awaited later. Should the test fail before, its
 * own failure is nobody's to handle.
 */
export function meanwhile<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/** Lets time pass, timers and I/O included. Nothing may rely on how much that is. */
export function pause(ms = 20): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Lets the event loop turn once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Keeps the event loop busy: nothing else happens meanwhile. */
export function block(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}
