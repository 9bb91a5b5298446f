/** Who may write a ring, on each device of the lab. */
import { describe, it } from 'node:test'
import { labDevices } from '@netts/rdma-suite/lab-devices'
import { openVerbs } from '@netts/verbs'
import { othersKey, staleKey } from './keys.js'

for (const { name, address } of labDevices()) {
  describe(`the key of a ring on ${name}`, { timeout: 120_000 }, () => {
    const bench = () => ({ client: openVerbs(), server: openVerbs(), host: address })
    for (const memoryWindow of ['auto', 'never'] as const) {
      it(`is of use on another queue pair only without a window (${memoryWindow})`, async () => {
        await othersKey(bench(), memoryWindow)
      })
      it(`is void once the connection is closed (${memoryWindow})`, async () => {
        await staleKey(bench(), memoryWindow)
      })
    }
  })
}
