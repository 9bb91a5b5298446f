/** The conformance suite on the lab's devices, with clients of one receive. */
import { labConformance } from './lab-conformance.js'
import { settingsWithClient } from './lab-depths.js'

await labConformance(['rxe', 'siw'], settingsWithClient('one'), { bulkByteLength: 2 ** 18, schedules: 3 })
