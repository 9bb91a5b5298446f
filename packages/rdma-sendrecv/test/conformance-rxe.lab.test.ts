/** The conformance suite on Soft-RoCE. */
import { labConformance } from '@netts/rdma-suite/lab-conformance'
import { tested } from './tested.js'

await labConformance(tested, ['rxe'], { defaults: {} })
