/** What the suite asks of a test runner, whichever it is. */
import assert from 'node:assert/strict'
import { expect, it } from 'vitest'
import { type ConformanceFixture, type ConformanceOptions, transportConformance } from '../src/index.js'
import { MOCK_CAPABILITIES, mockFixture } from './mock-fixture.js'

type Body = Parameters<ConformanceOptions['it']>[1]

/** One rule of the suite, over a fixture without the optional hooks. */
function ruleWithoutHooks(rule: string, teardown?: (fixture: ConformanceFixture) => void): Body {
  let found: Body | undefined
  const { builder, listenAddress } = mockFixture()
  transportConformance({
    name: 'mock',
    capabilities: MOCK_CAPABILITIES,
    setup: () => ({ builder, listenAddress }),
    ...(teardown && { teardown }),
    describe: (_, body) => body(),
    it: (name, body) => {
      if (name === rule) found = body
    },
  })
  assert.ok(found)
  return found
}

const needsHook = 'a client that crashes while idle ends the connection'

it('a rule that the fixture has nothing for is skipped, with the reason, by the argument of the test', async () => {
  const reasons: string[] = []
  await ruleWithoutHooks(needsHook).call(undefined, { skip: (reason: string) => reasons.push(reason) })
  expect(reasons).toEqual(['the fixture has no startCrashablePeer'])
})

it('or by its `this`, as mocha has it, for which a test must take no arguments', async () => {
  const reasons: string[] = []
  const body = ruleWithoutHooks(needsHook)
  await body.call({ skip: (reason: string) => reasons.push(reason) })
  expect(reasons).toEqual(['the fixture has no startCrashablePeer'])
  expect(body.length).toBe(0)
})

it('every test disposes of its fixture, a failed one too', async () => {
  let disposals = 0
  const dispose = () => {
    disposals++
  }
  await ruleWithoutHooks('a connection carries bytes both ways', dispose).call(undefined)
  expect(disposals).toBe(1)
  const failing = ruleWithoutHooks('a driver that claims to detect crashes can be shown one', dispose)
  await expect(failing.call(undefined)).rejects.toThrow('the fixture has no startCrashablePeer')
  expect(disposals).toBe(2)
})
