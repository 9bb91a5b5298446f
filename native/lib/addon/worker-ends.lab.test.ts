/** Ends of workers in mid-transfer and while connecting; `worker-ends.deep.lab.test.ts` has every stage. */
import { playScenario } from '../../test/lab/scenarios.js'
import { workerEnds } from '../../test/lab/worker-ends.js'

if (!(await playScenario())) workerEnds(['connecting', 'transferring'])
