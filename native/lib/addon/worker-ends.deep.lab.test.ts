/** Every stage that a worker can be in, and every way to end. */
import { playScenario, STAGES } from '../lab/scenarios.js'
import { workerEnds } from '../lab/worker-ends.js'

if (!(await playScenario())) workerEnds(STAGES)
