/** The conformance suite on the lab's devices, with clients of one receive. */
import { labConformance } from '@netts/rdma-suite/lab-conformance'
import { settingsWithClient } from '@netts/rdma-suite/paired-settings'
import { DEPTHS, tested } from './tested.js'

await labConformance(tested, ['rxe', 'siw'], settingsWithClient(DEPTHS, 'one'), {
  bulkByteLength: 2 ** 18,
  schedules: 3,
})
