/** Before memory is read. */

/** Lets closed handles, timers and finalizers run, and V8 give back what nobody uses. It needs `--expose-gc`. */
export async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    global.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
