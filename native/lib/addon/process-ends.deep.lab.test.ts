/** Every stage that a process can be in, and every way to end. */

import { processEnds } from '../lab/process-ends.js'
import { playScenario, STAGES } from '../lab/scenarios.js'

if (!(await playScenario())) processEnds(STAGES)
