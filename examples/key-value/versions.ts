/** Values with versions, and which of two writes is newer. */

/** A value as replicas store it. */
export interface Versioned {
  readonly value: string | null
  readonly version: number
  /** Decides between two writes of the same version. */
  readonly writer: string
}

/** The value of a key that was never written. */
export const NOTHING: Versioned = { value: null, version: 0, writer: '' }

/** Whether `a` is newer than `b`. */
export function isNewer(a: Versioned, b: Versioned): boolean {
  return a.version > b.version || (a.version === b.version && a.writer > b.writer)
}
