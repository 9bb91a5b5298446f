/** The conformance suite on Soft-iWARP. */
import { labConformance } from './lab-conformance.js'

await labConformance(['siw'], { defaults: {} })
