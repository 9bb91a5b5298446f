/** The conformance suite on Soft-iWARP. */
import { labConformance } from '@netts/rdma-suite/lab-conformance'
import { tested } from './tested.js'

await labConformance(tested, ['siw'], { defaults: {} })
