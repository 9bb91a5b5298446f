/** The conformance suite on the lab's devices, with clients of up to 512 receives. */
import { labConformance } from './lab-conformance.js'
import { settingsWithClient } from './lab-depths.js'

await labConformance(['rxe', 'siw'], settingsWithClient('512 elastic'), {
  bulkByteLength: 2 ** 18,
  schedules: 3,
})
