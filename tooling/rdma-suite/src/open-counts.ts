/** What must be zero when everything is closed. */
import type { Verbs } from '@netts/verbs'

/** Objects of verbs that are open, and pinned bytes, by name. */
export function openCounts(owner: string, verbs: Verbs): Record<string, number> {
  const counts = Object.entries(verbs.counts).map(([kind, count]) => [`${owner}'s ${kind}`, count])
  return { ...Object.fromEntries(counts), [`${owner}'s pinned bytes`]: verbs.pinnedBytes }
}
