/** The conformance suite on the lab's devices, with clients of up to 512 receives. */
import { labConformance } from '@netts/rdma-suite/lab-conformance'
import { settingsWithClient } from '@netts/rdma-suite/paired-settings'
import { DEPTHS, tested } from './tested.js'

await labConformance(tested, ['rxe', 'siw'], settingsWithClient(DEPTHS, '512 elastic'), {
  bulkByteLength: 2 ** 18,
  schedules: 3,
})
