/** The conformance suite on the lab's devices, with clients of 512 receives, always. */
import { labConformance } from '@netts/rdma-suite/lab-conformance'
import { settingsWithClient } from '@netts/rdma-suite/paired-settings'
import { DEPTHS, tested } from './tested.js'

await labConformance(tested, ['rxe', 'siw'], settingsWithClient(DEPTHS, '512 fixed'), {
  bulkByteLength: 2 ** 18,
  schedules: 3,
})
