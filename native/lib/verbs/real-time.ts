/**
 * The machine's own timers, taken once when this is loaded: test runners replace the global ones by fake ones, which
 * must not stop a device.
 */
export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } =
  globalThis

const { performance } = globalThis

/** Milliseconds since an arbitrary moment; monotonic. */
export const now: () => number = performance.now.bind(performance)
