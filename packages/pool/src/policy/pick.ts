/** Which endpoint serves the next caller: the functions of this package, and the type of a program's own. */
import type { EndpointStatus } from '../pool.js'

/**
 * Chooses the endpoint that serves the next caller. It is called when there are at least two candidates: endpoints that
 * have a connection to lend, or, when none has, endpoints to which one can be opened. The array is valid only during the
 * call.
 *
 * Return one of the candidates, or `undefined` to let the caller wait for the next connection that becomes free. If the
 * function throws or returns anything else, `acquire` rejects with `ERR_NETTS_INTERNAL`.
 */
export type Pick = (candidates: readonly EndpointStatus[]) => EndpointStatus | undefined

/**
 * Picks two endpoints at random, in proportion to their weights, and of these the one with fewer callers and attempts to
 * connect, relative to its weight; if both are equal, the one that has an idle connection. Many clients that all picked
 * the least busy endpoint would send their load to the same one; with two random choices they do not (M. Mitzenmacher,
 * "The Power of Two Choices in Randomized Load Balancing", 2001).
 *
 * @param random returns random numbers from 0 up to, but not including, 1. @default Math.random
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

/** @returns a random index, in proportion to the weights. @param without an index that is not chosen */
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

/**
 * Picks the endpoints in turn, in proportion to their weights and spread evenly: two endpoints of the weights 2 and 1 are
 * picked in the order first, second, first. This is the smooth weighted round robin of nginx. Each call of `roundRobin`
 * makes a function with a state of its own.
 */
export function roundRobin(): Pick {
  // Each candidate gains its weight, and the chosen one loses the sum of the weights.
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
