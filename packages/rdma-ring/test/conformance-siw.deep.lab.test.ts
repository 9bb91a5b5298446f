/** The conformance suite on Soft-iWARP; on Soft-RoCE it is part of `npm test`. */
import { labConformance } from '@netts/rdma-suite/lab-conformance'
import { tested } from './tested.js'

await labConformance(tested, ['siw'], { defaults: {} })
