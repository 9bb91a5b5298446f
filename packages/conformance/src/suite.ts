/** The suite: every rule of the contract is a test, under the test runner of the caller. */
import { Context, Skipped } from './harness/context.js'
import { type ConformanceOptions, type Settings, settingsOf } from './options.js'
import type { Area } from './rules/area.js'
import { areas, messageAreas } from './rules/areas.js'
import { runSchedule } from './rules/random-schedule.js'

/**
 * Registers the whole suite with the test runner: every rule of `Transport`, `TransportBuilder`, `TransportListener` and
 * `Connection` as one test. Each test calls `setup`, destroys everything that it opened, checks that every pooled buffer was
 * returned, and calls `teardown`. Call it at the top level of a test file.
 */
export function transportConformance(options: ConformanceOptions): void {
  register(`transport conformance: ${options.name}`, areas, options)
}

/**
 * Registers only the rules about messages with the test runner. It is for code that makes connections of its own, such as a
 * pool, over a driver that passes the whole suite: see {@link ConformanceFixture.connect}.
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

/** Skips a test by its runner. @param contexts the contexts of a test, as `this` or an argument; some can skip it */
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
 * Runs random schedules without a test runner, each with a fixture of its own, until the time is over.
 *
 * @param options as for the suite, without `schedules`; `seed` is the seed of the first schedule
 * @param durationMs for how long, in milliseconds; at least one schedule is run
 * @returns how many schedules were run. Rejects with the first failure, whose message names its seed.
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
