/** Every stage that a process can be in, and every way to end. */

import { processEnds } from '../../test/lab/process-ends.js'
import { playScenario, STAGES } from '../../test/lab/scenarios.js'

if (!(await playScenario())) processEnds(STAGES)
