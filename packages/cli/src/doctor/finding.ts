/** The results of checks. */

/**
 * The verdict of a finding:
 *
 * - `ok`;
 * - `note`: worth knowing;
 * - `warning`: it works worse than it could, or not for every user;
 * - `problem`: RDMA does not work, or not for what was requested;
 * - `skipped`: it could not be checked because of a problem above.
 */
export type Verdict = 'ok' | 'note' | 'warning' | 'problem' | 'skipped'

/** A finding. */
export interface Finding {
  /** What was checked, such as `memlock`. */
  readonly check: string
  readonly verdict: Verdict
  /** What was found, in a sentence. */
  readonly message: string
  /** What to do about it, in a sentence. */
  readonly remedy?: string | undefined
}

/** Functions that make the findings of one check, one for each verdict. */
export function findingsOf(check: string) {
  const make =
    (verdict: Verdict) =>
    (message: string, remedy?: string): Finding =>
      remedy === undefined ? { check, verdict, message } : { check, verdict, message, remedy }
  return {
    ok: make('ok'),
    note: make('note'),
    warning: make('warning'),
    problem: make('problem'),
    skipped: make('skipped'),
  }
}

/** Bytes for people: exact multiples of binary units, else bytes. */
export function formatBytes(bytes: number | 'unlimited'): string {
  if (bytes === 'unlimited') return 'unlimited'
  for (const [unit, size] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size} ${unit}`
  }
  return `${bytes} bytes`
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
