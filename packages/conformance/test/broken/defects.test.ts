/** The proof that the suite can fail: every rule is broken by some driver, and notices. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'vitest'
import { transportConformance } from '../../src/index.js'
import { MOCK_CAPABILITIES } from '../mock-fixture.js'
import { brokenFixture, type Defect } from './broken-driver.js'
import { closingDefects } from './closing.js'
import { connectingDefects } from './connecting.js'
import { closeLeaked, endingDefects } from './ending.js'
import { messageDefects } from './messages.js'
import { receivingDefects } from './receiving.js'
import { sendingDefects } from './sending.js'
import { wakingDefects } from './waking.js'

const defects = [
  ...connectingDefects,
  ...sendingDefects,
  ...receivingDefects,
  ...wakingDefects,
  ...endingDefects,
  ...closingDefects,
  ...messageDefects,
]

/** The suite's tests over a mock with the defect, by name. */
function testsOf(defect: Defect, deadlineMs: number): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>()
  transportConformance({
    name: defect.name,
    capabilities: MOCK_CAPABILITIES,
    setup: () => brokenFixture(defect),
    describe: (_, body) => body(),
    it(name, body) {
      assert.ok(!tests.has(name), `two rules are called "${name}"`)
      tests.set(name, body)
    },
    deadlineMs,
    bulkByteLength: 2 ** 16,
    connections: 20,
    bufferedByteLength: 2 ** 16,
    schedules: 10,
    seed: 1,
  })
  return tests
}

const sound: Defect = { name: 'has no defect', breaks: [] }

afterEach(closeLeaked)

for (const defect of defects) {
  describe(`a driver that ${defect.name} fails`, () => {
    const tests = testsOf(defect, 300)
    for (const rule of defect.breaks) {
      it(rule, async () => {
        const test = tests.get(rule)
        assert.ok(test, 'there is no such rule')
        const failure = await test().then(
          () => undefined,
          (error: unknown) => ({ error }),
        )
        assert.ok(failure, 'the suite did not notice')
        // Noticed, rather than fallen over.
        assert.ok(!(failure.error instanceof TypeError), String(failure.error))
      })
    }
  })
}

it('every rule has a driver that fails it', () => {
  const broken = new Set(defects.flatMap(({ breaks }) => breaks))
  const rules = [...testsOf(sound, 300).keys()]
  const unproven = rules.filter((rule) => !broken.has(rule) && !/^schedule (?!1 )/.test(rule))
  assert.deepEqual(unproven, [])
})

it('the driver underneath passes every rule', { timeout: 120_000 }, async () => {
  for (const [name, test] of testsOf(sound, 10_000)) {
    await test().catch((error: unknown) => assert.fail(`${name}: ${String(error)}`))
  }
})
