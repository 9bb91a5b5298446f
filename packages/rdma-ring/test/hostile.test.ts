/** Ten thousand of what `hostile.deep.test.ts` has a million of. */
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { expect, it } from 'vitest'
import { HostilePeer } from './hostile-peer.js'

it('whatever lies is told from what does not, and changes nothing', () => {
  const { random } = createSimulatedFabric({ mode: 'roce', seed: 1 })
  let lies = 0
  for (let input = 0; input < 10_000; input++) {
    const peer = new HostilePeer(random)
    for (let steps = random.below(40); steps > 0; steps--) peer.live()
    if (peer.lie()) lies++
  }
  expect(lies).toBeGreaterThan(5000)
  expect(lies).toBeLessThan(9500)
})
