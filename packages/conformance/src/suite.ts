/** The suite: every rule of the contract as a test, under the runner that the caller brought. */
import { Context, Skipped } from './harness/context.js'
import { type ConformanceOptions, type Settings, settingsOf } from './options.js'
import type { Area } from './rules/area.js'
import { areas, messageAreas } from './rules/areas.js'
import { runSchedule } from './rules/random-schedule.js'

/**
 * Registers the whole suite with the runner. Every test runs on ground of its own, from `setup`, and afterwards
 * puts away what it opened, and checks that no buffer is missing.
 */
export function transportConformance(options: ConformanceOptions): void {
  register(`transport conformance: ${options.name}`, areas, options)
}

/**
 * Registers the rules about messages alone: for what gives connections of its own (see `ConformanceFixture.connect`) over
 * drivers that pass the whole suite.
 */
export function connectionConformance(options: ConformanceOptions): void {
  register(`connection conformance: ${options.name}`, messageAreas, options)
}

function register(title: string, areas: Readonly<Record<string, Area>>, options: ConformanceOptions): void {
  const settings = settingsOf(options)
  options.describe(title, () => {
    for (const [name, area] of Object.entries(areas)) {
      options.describe(name, () => {
        area((rule, test) => {
          options.it(rule, function (this: unknown, ...args: unknown[]) {
            return runOrSkip([this, args[0]], run(options, settings, test))
          })
        }, settings)
      })
    }
  })
}

/** @param contexts what runners give a test, as `this` or as an argument: some of it can skip */
async function runOrSkip(contexts: unknown[], running: Promise<void>): Promise<void> {
  try {
    await running
  } catch (error) {
    if (!(error instanceof Skipped)) throw error
    for (const context of contexts as ({ skip?: unknown } | undefined)[]) {
      if (typeof context?.skip === 'function') return context.skip(error.message)
    }
    console.warn(`skipped: ${error.message}`)
  }
}

/**
 * Runs random schedules without a test runner, each on ground of its own, until the time is up.
 *
 * @param options as for the suite: `seed` is where the schedules begin, `schedules` has no meaning here
 * @param durationMs how long; at least one schedule is run
 * @returns how many schedules were run. Rejects with the first failure, whose message names its seed
 */
export async function runRandomSchedules(
  options: Omit<ConformanceOptions, 'describe' | 'it' | 'schedules'>,
  durationMs: number,
): Promise<number> {
  const settings = settingsOf(options)
  const endMs = performance.now() + durationMs
  let schedules = 0
  do {
    const seed = (settings.seed + schedules++) >>> 0
    await run(options, settings, (context) => runSchedule(context, seed))
  } while (performance.now() < endMs)
  return schedules
}

async function run(
  options: Pick<ConformanceOptions, 'setup' | 'teardown'>,
  settings: Settings,
  test: (context: Context) => Promise<void>,
): Promise<void> {
  const fixture = await options.setup()
  try {
    const context = new Context(fixture, settings)
    try {
      await test(context)
    } finally {
      await context.putAway()
    }
    await context.checkAfterwards()
  } finally {
    await options.teardown?.(fixture)
  }
}
