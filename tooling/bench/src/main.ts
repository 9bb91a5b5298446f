/** `npx pnpm bench`: runs the benchmark and shows its results. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { contenders as allContenders } from './contenders/index.js'
import { HELP, type Options, readOptions } from './options.js'
import { scenarios as allScenarios } from './plan.js'
import { renderHtml } from './report/html.js'
import { updateReadmes } from './report/readme.js'
import { plain, renderTerminal, terminalProgress } from './report/terminal.js'
import { describeMachine } from './results/machine.js'
import type { Report } from './results/report.js'
import { judge } from './results/targets.js'
import { benchmark, type Effort, type Failure } from './run/benchmark.js'
import { bundleWorker } from './run/bundle.js'

/** They have the markers between which the ratios go. */
const READMES = ['../../../README.md', '../README.md'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
)

/** The time limits leave room for the last point. */
const QUICK: Effort = { points: 'quick', rounds: 5, warmupMs: 150, measureMs: 250, limitMs: 110_000 }
const FULL: Effort = { points: 'full', rounds: 5, warmupMs: 500, measureMs: 1000, limitMs: 40 * 60_000 }

async function run(options: Options): Promise<{ report: Report; failures: readonly Failure[] }> {
  const chosen = options.quick ? QUICK : FULL
  const effort = { ...chosen, rounds: options.rounds ?? chosen.rounds, profiles: options.profiles }
  const pick = <T extends { id: string }>(all: readonly T[], ids: readonly string[]) =>
    ids.length === 0 ? all : all.filter(({ id }) => ids.includes(id))
  const contenders = pick(allContenders, options.contenders)
  const startedAt = new Date()
  const machine = describeMachine()
  const { scenarios, failures } = await benchmark(
    pick(allScenarios, options.only),
    contenders,
    effort,
    options.host,
    await bundleWorker(),
    terminalProgress(),
  )
  const report: Report = {
    format: 'netts-bench/1',
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    command: ['npx pnpm bench', ...process.argv.slice(2).filter((arg) => arg !== '--')].join(' '),
    machine,
    contenders: contenders.map(({ id, title, about }) => ({ id, title, about })),
    scenarios,
    targets: judge(scenarios),
  }
  return { report, failures }
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
    process.stderr.write(`FAILED ${contender}: ${scenario}, ${point}\n  ${error.stack ?? error.message}\n`)
  }
  if (failures.length > 0) {
    process.exitCode = 1
  } else if (options.updateReadme) {
    await updateReadmes(READMES, report)
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
