/** Runs the plan: rounds over scenarios, points and contenders, interleaved, within a time limit. */
import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import type { Contender } from '../contenders/contender.js'
import { RAW } from '../contenders/index.js'
import { RowCollector, type ScenarioResult } from '../figures/report.js'
import { figures, pointLabel, takesPart } from '../plan.js'
import type { Point, Scenario } from '../scenario.js'
import { conduct, type Timing } from './conductor.js'

/** How much is done. */
export interface Effort extends Timing {
  readonly points: 'quick' | 'full' | 'lab'
  readonly rounds: number
  /** Of each scenario, so many points from the first one on. @default all */
  readonly pointsEach?: number
  /** Bytes of a message, of each point in its turn: the first point of each scenario with these instead of its own. */
  readonly byteLengths?: readonly number[] | undefined
  /** The first round is completed whatever the limit, so that every scenario is reached. @default false */
  readonly reachesAll?: boolean
  /** Nothing is begun after this. What it left out is said. */
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
  /** With its stack. */
  readonly error: string
}

function pointsOf(scenario: Scenario, { points, pointsEach, byteLengths }: Effort): readonly Point[] {
  const own = (scenario[points] ?? []).slice(0, pointsEach)
  if (byteLengths === undefined) return own
  return own.slice(0, 1).flatMap((point) => byteLengths.map((byteLength) => ({ ...point, byteLength })))
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
  const reasonAgainst = (contender: Contender, { traffic, observe }: Scenario, point: Point) =>
    unavailable.get(contender.id) ?? contender.unsupported?.({ traffic, observe, ...point })
  const groups = scenarios.flatMap((scenario) =>
    pointsOf(scenario, effort).map((point) => ({
      scenario,
      point,
      cells: contenders
        .filter((contender) => takesPart(contender.id, scenario))
        .filter((contender) => reasonAgainst(contender, scenario, point) === undefined)
        .map((contender) => ({ scenario, point, contender, row: new RowCollector(contender.id) })),
    })),
  )
  const rounds = Array.from({ length: effort.rounds }, (_, round) =>
    groups.filter(({ scenario }) => round < Math.ceil(effort.rounds * (scenario.rounds ?? 1))),
  )
  progress.begin(rounds.flat().reduce((sum, { cells }) => sum + cells.length, 0))
  const failures = new Map<Cell, Failure>()
  const deadline = performance.now() + effort.limitMs
  for (const [round, wanted] of rounds.entries()) {
    for (const { cells } of wanted) {
      // Only between points: within one, every contender has had the same rounds.
      if (performance.now() > deadline && !(effort.reachesAll && round === 0)) break
      for (const cell of rotate(cells, round)) {
        const { scenario, contender } = cell
        const point = pointLabel(scenario, cell.point)
        progress.step(`${contender.title}: ${scenario.title}, ${point}`)
        if (failures.has(cell)) continue
        await runCell(cell, effort, host, entryPoint).catch((error: Error) => {
          failures.set(cell, {
            contender: contender.title,
            scenario: scenario.title,
            point,
            error: error.stack ?? error.message,
          })
        })
      }
    }
  }
  progress.done()
  const asked = scenarios.filter((scenario) => scenario[effort.points])
  const results = asked.map((scenario) => ({
    id: scenario.id,
    title: scenario.title,
    question: scenario.question,
    metrics: scenario.metrics,
    baseline: scenario.baseline ?? RAW,
    points: groups
      .filter((group) => group.scenario === scenario)
      .map(({ point, cells }) => ({
        ...point,
        label: pointLabel(scenario, point),
        rows: cells.filter((cell) => cell.row.rounds > 0 && !failures.has(cell)).map(({ row }) => row.row()),
        skipped: [
          ...contenders
            .filter(({ id }) => takesPart(id, scenario))
            .flatMap((contender) => {
              const reason = reasonAgainst(contender, scenario, point)
              return reason === undefined ? [] : [{ contender: contender.id, reason }]
            }),
          ...cells
            .filter((cell) => cell.row.rounds === 0 || failures.has(cell))
            .map((cell) => ({
              contender: cell.contender.id,
              reason: failures.has(cell) ? 'it failed' : 'the time was up',
            })),
        ],
      })),
  }))
  return { scenarios: results, failures: [...failures.values()] }
}

/** Every round begins with another contender. */
function rotate(cells: readonly Cell[], round: number): Cell[] {
  const first = round % cells.length
  return [...cells.slice(first), ...cells.slice(0, first)]
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
  if ('run' in contender) {
    row.add(await contender.run(spec), undefined)
  } else {
    const sample = await conduct(spec, contender, timing, entryPoint)
    row.add(figures(scenario, point, sample, decodeFromCompressedBase64), sample.client.latency)
  }
}
