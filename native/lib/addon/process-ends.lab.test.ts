/** Ends of processes in mid-transfer; `process-ends.deep.lab.test.ts` has every stage. */

import { processEnds } from '../../test/lab/process-ends.js'
import { playScenario } from '../../test/lab/scenarios.js'

if (!(await playScenario())) processEnds(['transferring'])
