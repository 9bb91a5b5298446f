/** Every stage that a worker can be in, and every way to end. */
import { playScenario, STAGES } from '../../test/lab/scenarios.js'
import { workerEnds } from '../../test/lab/worker-ends.js'

if (!(await playScenario())) workerEnds(STAGES)
