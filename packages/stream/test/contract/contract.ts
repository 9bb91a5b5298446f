/** The documented behaviour of `net.Socket`, `net.Server` and `stream.Duplex`, for whatever claims to have it. */
import { describe } from 'vitest'
import { composing } from './composing.js'
import { connecting } from './connecting.js'
import { destroying } from './destroying.js'
import { ending } from './ending.js'
import type { Ground } from './ground.js'
import { reading } from './reading.js'
import { serving } from './serving.js'
import { timeouts } from './timeouts.js'
import { writing } from './writing.js'

const AREAS = { connecting, writing, reading, ending, destroying, timeouts, composing, serving }

/** Checks all of it on a ground. */
export function socketContract(ground: Ground): void {
  for (const [area, rules] of Object.entries(AREAS)) {
    describe(`${ground.name}: ${area}`, () => rules(ground))
  }
}
