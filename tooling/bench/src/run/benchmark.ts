/** Runs the plan: rounds over scenarios, points and contenders, interleaved, within a time limit. */
import type { Contender } from '../contenders/contender.js'
import { figures, type Point, pointLabel, type Scenario } from '../plan.js'
import { percentileOf, RowCollector, type ScenarioResult } from '../results/report.js'
import { conduct, type Timing } from './conductor.js'

/** How much is done. */
export interface Effort extends Timing {
  readonly points: 'quick' | 'full'
  readonly rounds: number
  /** No further round is begun after this; the first one is always complete. */
  readonly limitMs: number
}

/** What the progress display is told. */
export interface Progress {
  begin(total: number): void
  step(what: string): void
  done(): void
}

interface Cell {
  readonly scenario: Scenario
  readonly point: Point
  readonly contender: Contender
  readonly row: RowCollector
}

/** What came of it. A single failure, be it one wrong byte, makes the whole run a failed one. */
export interface Outcome {
  readonly scenarios: readonly ScenarioResult[]
  readonly failures: readonly Failure[]
}

export interface Failure {
  readonly contender: string
  readonly scenario: string
  readonly point: string
  readonly error: Error
}

/** Runs everything. What failed once is not tried again. */
export async function benchmark(
  scenarios: readonly Scenario[],
  contenders: readonly Contender[],
  effort: Effort,
  host: string,
  entryPoint: string,
  progress: Progress,
): Promise<Outcome> {
  const unavailable = new Map<string, string>()
  for (const contender of contenders) {
    const reason = await contender.unavailable?.()
    if (reason !== undefined) unavailable.set(contender.id, reason)
  }
  const reasonAgainst = ({ id, unsupported }: Contender, { traffic }: Scenario) =>
    unavailable.get(id) ?? unsupported?.[traffic]
  const cells: Cell[] = scenarios.flatMap((scenario) =>
    scenario[effort.points].flatMap((point) =>
      contenders
        .filter((contender) => reasonAgainst(contender, scenario) === undefined)
        .map((contender) => ({ scenario, point, contender, row: new RowCollector(contender.id) })),
    ),
  )
  const rounds = Array.from({ length: effort.rounds }, (_, round) =>
    cellsOfRound(cells, effort.rounds, round),
  )
  progress.begin(rounds.reduce((sum, { length }) => sum + length, 0))
  const startedAt = performance.now()
  const failures: Failure[] = []
  const failed = new Set<Cell>()
  let slowest = 0
  for (const round of rounds) {
    const began = performance.now()
    if (began - startedAt + slowest > effort.limitMs && round !== rounds[0]) break
    for (const cell of round) {
      const { scenario, contender } = cell
      const point = pointLabel(scenario, cell.point)
      progress.step(`${contender.title}: ${scenario.title}, ${point}`)
      if (failed.has(cell)) continue
      try {
        await runCell(cell, effort, host, entryPoint)
      } catch (error) {
        failed.add(cell)
        failures.push({ contender: contender.title, scenario: scenario.title, point, error: error as Error })
      }
    }
    if (round !== rounds[0]) slowest = Math.max(slowest, performance.now() - began)
  }
  progress.done()
  const results = scenarios.map((scenario) => ({
    id: scenario.id,
    title: scenario.title,
    question: scenario.question,
    metrics: scenario.metrics,
    points: scenario[effort.points].map((point) => ({
      ...point,
      label: pointLabel(scenario, point),
      rows: cells

        .filter(
          (cell) =>
            cell.scenario === scenario && cell.point === point && cell.row.rounds > 0 && !failed.has(cell),
        )
        .map(({ row }) => row.row()),
      skipped: contenders.flatMap((contender) => {
        const reason = reasonAgainst(contender, scenario)
        return reason === undefined ? [] : [{ contender: contender.id, reason }]
      }),
    })),
  }))
  return { scenarios: results, failures }
}

/** Each scenario has its share of the rounds, and every round begins with another contender. */
function cellsOfRound(cells: readonly Cell[], rounds: number, round: number): Cell[] {
  const wanted = cells.filter(({ scenario }) => round < Math.ceil(rounds * (scenario.effort?.rounds ?? 1)))
  const groups = [...new Set(wanted.map(({ point }) => point))].map((at) =>
    wanted.filter(({ point }) => point === at),
  )
  return groups.flatMap((group) => {
    const first = round % group.length
    return [...group.slice(first), ...group.slice(0, first)]
  })
}

async function runCell(cell: Cell, timing: Timing, host: string, entryPoint: string): Promise<void> {
  const { scenario, point, contender, row } = cell
  const spec = {
    contender: contender.id,
    traffic: scenario.traffic,
    observe: scenario.observe,
    host,
    ...point,
  }
  const sample = await conduct(spec, contender.processes, timing, entryPoint)
  row.add(figures(scenario, point, sample, percentileOf), sample.client.latency)
}
