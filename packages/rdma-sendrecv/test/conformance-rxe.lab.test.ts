/** The conformance suite on Soft-RoCE. */
import { labConformance } from './lab-conformance.js'

await labConformance(['rxe'], { defaults: {} })
