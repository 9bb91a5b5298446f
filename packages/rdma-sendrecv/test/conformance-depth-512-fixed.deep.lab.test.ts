/** The conformance suite on the lab's devices, with clients of 512 receives, always. */
import { labConformance } from './lab-conformance.js'
import { settingsWithClient } from './lab-depths.js'

await labConformance(['rxe', 'siw'], settingsWithClient('512 fixed'), {
  bulkByteLength: 2 ** 18,
  schedules: 3,
})
