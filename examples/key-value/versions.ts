/** Values with versions: which of two writes is the newer one. */

/** A value as replicas keep it. */
export interface Versioned {
  readonly value: string | null
  readonly version: number
  /** Decides between two writes of one version. */
  readonly writer: string
}

/** What a replica has under a key that nobody wrote. */
export const NOTHING: Versioned = { value: null, version: 0, writer: '' }

/** Whether `a` is newer than `b`. */
export function isNewer(a: Versioned, b: Versioned): boolean {
  return a.version > b.version || (a.version === b.version && a.writer > b.writer)
}
