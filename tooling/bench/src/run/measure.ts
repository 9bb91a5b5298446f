/** A whole measurement, wherever it takes place: on this machine or in the lab. */
import type { Contender } from '../contenders/contender.js'
import { contenders as allContenders, RAW } from '../contenders/index.js'
import { describeMachine, type Machine } from '../figures/machine.js'
import { scenarios as allScenarios } from '../plan.js'
import { benchmark, type Effort, type Outcome, type Progress } from './benchmark.js'

/** What is measured, as JSON. */
export interface Request {
  /** Scenarios and contenders by their ids; all of them when empty. */
  readonly only: readonly string[]
  readonly contenders: readonly string[]
  readonly effort: Effort
  readonly host: string
  /** Whether what needs RDMA takes part. */
  readonly rdma: boolean
}

/** What came of it, as JSON. */
export interface Measured extends Outcome {
  readonly machine: Machine
}

/** Without RDMA, but in the lab as well: what RDMA is compared to. Others would only make the run longer. */
const BESIDE_RDMA = [RAW, 'tcp-transport', 'tcp']

/** Who takes part. */
export function takingPart({ contenders, rdma }: Pick<Request, 'contenders' | 'rdma'>): Contender[] {
  return pick(allContenders, contenders).filter(({ id, needsRdma = false }) =>
    rdma ? needsRdma || contenders.length > 0 || BESIDE_RDMA.includes(id) : !needsRdma,
  )
}

export async function measure(request: Request, entryPoint: string, progress: Progress): Promise<Measured> {
  const machine = describeMachine()
  const scenarios = pick(allScenarios, request.only)
  const { effort, host } = request
  const outcome = await benchmark(scenarios, takingPart(request), effort, host, entryPoint, progress)
  return { machine, ...outcome }
}

function pick<T extends { readonly id: string }>(all: readonly T[], ids: readonly string[]): readonly T[] {
  return ids.length === 0 ? all : all.filter(({ id }) => ids.includes(id))
}
