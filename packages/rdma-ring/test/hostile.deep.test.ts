/** A million lies of a peer, each to an end that is in the midst of its life. */
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { expect, it } from 'vitest'
import { HostilePeer } from './hostile-peer.js'

const LIES = 1_000_000

it('a million lies are told from what is true, each changes nothing, and nothing grows', () => {
  const seed = Date.now() % 2 ** 31
  console.log(`seed ${seed}`)
  const { random } = createSimulatedFabric({ mode: 'roce', seed })
  let [inputs, lies, heapBefore] = [0, 0, 0]
  for (; lies < LIES; inputs++) {
    if (inputs === LIES / 10) heapBefore = process.memoryUsage().heapUsed
    const peer = new HostilePeer(random)
    for (let steps = random.below(40); steps > 0; steps--) peer.live()
    if (peer.lie()) lies++
  }
  console.log(`${lies} lies among ${inputs} inputs`)
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(64 * 2 ** 20)
})
