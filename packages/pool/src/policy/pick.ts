/** Which endpoint the next caller gets: the choices that ship, and the shape of a user's own. */
import type { EndpointStatus } from '../pool.js'

/**
 * Chooses among endpoints that have a connection to lend, or may open one. The array is valid during the call alone.
 * `undefined` chooses none: the caller then waits for whatever comes back first.
 */
export type Pick = (candidates: readonly EndpointStatus[]) => EndpointStatus | undefined

/**
 * Two endpoints by chance, in proportion to their weights, and of these the one with fewer connections in use or being
 * opened for its weight; of equal ones, one that has a connection ready. It never herds, as "the least of all" does.
 *
 * @param random where chance comes from: from 0 up to, and without, 1. @default Math.random
 */
export function powerOfTwoChoices(random: () => number = Math.random): Pick {
  return (candidates) => {
    const { length } = candidates
    if (length < 2) return candidates[0]
    const first = byWeight(candidates, random)
    const one = candidates[first]!
    const two = candidates[byWeight(candidates, random, first)]!
    const difference = load(one) - load(two)
    if (difference !== 0) return difference < 0 ? one : two
    return one.idle === 0 && two.idle > 0 ? two : one
  }
}

const load = (endpoint: EndpointStatus) => (endpoint.inFlight + endpoint.connecting) / endpoint.weight

/** @returns an index, each as likely as its weight. @param without one that is not to be chosen */
function byWeight(candidates: readonly EndpointStatus[], random: () => number, without = -1): number {
  let total = 0
  for (let index = 0; index < candidates.length; index++) {
    if (index !== without) total += candidates[index]!.weight
  }
  let left = random() * total
  let last = 0
  for (let index = 0; index < candidates.length; index++) {
    if (index === without) continue
    last = index
    left -= candidates[index]!.weight
    if (left < 0) break
  }
  return last
}

/** One after the other, in proportion to their weights, and spread evenly: 2 and 1 are chosen as one, two, one. */
export function roundRobin(): Pick {
  // Smooth weighted round robin, as in nginx: each gains its weight, and the chosen one pays the sum.
  const credits = new WeakMap<EndpointStatus, number>()
  return (candidates) => {
    let best: EndpointStatus | undefined
    let most = -Infinity
    let sum = 0
    for (const candidate of candidates) {
      const credit = (credits.get(candidate) ?? 0) + candidate.weight
      credits.set(candidate, credit)
      sum += candidate.weight
      if (credit <= most) continue
      most = credit
      best = candidate
    }
    if (best) credits.set(best, most - sum)
    return best
  }
}
