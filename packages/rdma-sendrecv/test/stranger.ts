/** Strangers to this driver: what they say, and frames that may be wrong in anything. */
import { meetStranger as meetOne, type StrangerManners } from '@netts/rdma-suite/stranger'
import type { SimulatedFabric } from '@netts/verbs/simulated'
import { writeHeader } from '../src/protocol/frame.js'
import { encodeHello } from '../src/protocol/hello.js'
import { tested } from './tested.js'

export const HELLO = { bufferSize: 2048, posted: 8, maxPosted: 20, features: 0 }

/** What a stranger says that knows how to behave at first. */
export const MANNERS: StrangerManners = {
  identity: { driver: 1, version: 1 },
  hello: encodeHello(HELLO),
  receives: 20,
}

/** Meets a stranger that sends one frame, at random. */
export function meetStranger(fabric: SimulatedFabric): Promise<void> {
  return meetOne(tested, fabric, MANNERS, {}, (stranger, random) => {
    const bytes = new Uint8Array(random.below(40))
    for (let i = 0; i < bytes.byteLength; i++) bytes[i] = random.below(256)
    // Half of them get past the header's first checks.
    if (bytes.byteLength >= 8 && random.chance(0.5))
      writeHeader(bytes, 0, (1 + random.below(7)) as 1, random.below(40))
    stranger.send(bytes)
  })
}
