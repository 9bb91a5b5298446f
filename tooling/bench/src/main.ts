/** `npx pnpm bench`: runs the benchmark and shows its results. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Report } from './figures/report.js'
import { judge } from './figures/targets.js'
import { HELP, type Options, readOptions } from './options.js'
import { renderHtml } from './report/html.js'
import { updateReadmes } from './report/readme.js'
import { plain, renderTerminal, terminalProgress } from './report/terminal.js'
import type { Effort, Failure } from './run/benchmark.js'
import { bundlePrograms } from './run/bundle.js'
import { measure, type Request, takingPart } from './run/measure.js'

/** The time limits leave room for the last point. The first round of a quick run takes what it takes. */
const QUICK: Effort = {
  points: 'quick',
  rounds: 5,
  reachesAll: true,
  warmupMs: 200,
  measureMs: 200,
  limitMs: 100_000,
}
const FULL: Effort = { points: 'full', rounds: 5, warmupMs: 500, measureMs: 1000, limitMs: 40 * 60_000 }
/**
 * Everything is slow in an emulated machine, most of all what V8 has not compiled yet: that takes it some 12 s. One
 * round takes a quarter of an hour, and then goes on with the round trips, as far as there is time.
 */
const LAB: Effort = { points: 'lab', rounds: 3, warmupMs: 15_000, measureMs: 4000, limitMs: 19 * 60_000 }
const QUICK_LAB: Effort = { ...LAB, rounds: 1, pointsEach: 1, limitMs: 10 * 60_000 }

async function run(options: Options): Promise<{ report: Report; failures: readonly Failure[] }> {
  const chosen = options.lab ? (options.quick ? QUICK_LAB : LAB) : options.quick ? QUICK : FULL
  const effort: Effort = {
    ...chosen,
    rounds: options.rounds ?? chosen.rounds,
    ...(options.minutes !== undefined && { limitMs: options.minutes * 60_000, reachesAll: false }),
    byteLengths: options.byteLengths,
    profiles: options.profiles,
  }
  const { only, contenders, host } = options
  const request: Request = { only, contenders, effort, host, rdma: options.lab }
  const { worker, inside } = await bundlePrograms()
  const startedAt = new Date()
  const progress = terminalProgress()
  const { machine, scenarios, failures } = options.lab
    ? await (await import('./lab/outside.js')).measureInLab(request, inside, worker, progress)
    : await measure(request, worker, progress)
  const report: Report = {
    format: 'netts-bench/1',
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    command: commandOf(options),
    machine,
    contenders: takingPart(request).map(({ id, title, about }) => ({ id, title, about })),
    scenarios,
    targets: judge(scenarios, options.lab),
  }
  return { report, failures }
}

/** What reproduces the figures, without where they are written to. */
function commandOf({ quick, lab, only, contenders, byteLengths, rounds, minutes, host }: Options): string {
  return [
    'npx pnpm bench',
    ...(lab ? ['--lab'] : []),
    ...(quick ? ['--quick'] : []),
    ...(only.length > 0 ? [`--only ${only.join(',')}`] : []),
    ...(contenders.length > 0 ? [`--contenders ${contenders.join(',')}`] : []),
    ...(byteLengths === undefined ? [] : [`--sizes ${byteLengths.join(',')}`]),
    ...(rounds === undefined ? [] : [`--rounds ${rounds}`]),
    ...(minutes === undefined ? [] : [`--minutes ${minutes}`]),
    ...(host === '127.0.0.1' ? [] : [`--host ${host}`]),
  ].join(' ')
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(HELP)
    return
  }
  const { report, failures } = await run(options)
  const text = renderTerminal(report)
  if (options.json === '-') process.stdout.write(`${JSON.stringify(report)}\n`)
  else process.stdout.write(process.stdout.isTTY ? text : plain(text))
  if (options.json && options.json !== '-') await save(options.json, JSON.stringify(report))
  await save(options.html, await renderHtml(report))
  for (const { contender, scenario, point, error } of failures) {
    process.stderr.write(`FAILED ${contender}: ${scenario}, ${point}\n  ${error}\n`)
  }
  if (failures.length > 0) {
    process.exitCode = 1
  } else if (options.updateReadme) {
    await updateReadmes(report)
  }
}

async function save(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  process.stderr.write(`wrote ${path}\n`)
}

main().catch((error: Error) => {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    process.stderr.write(
      cause === error ? `${cause.message}\n` : `  because: ${cause.stack ?? cause.message}\n`,
    )
  }
  process.exitCode = 1
})
