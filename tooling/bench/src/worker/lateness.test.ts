import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LatenessProbe } from './lateness.js'

function hold(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('a held event loop shows in full: every timer was due within 10 ms of its start', async () => {
  const probe = new LatenessProbe()
  probe.start()
  hold(60)
  await sleep(5)
  const { p50, p99, max } = probe.stop()
  expect(max).toBeGreaterThanOrEqual(50e6)
  expect(max).toBeGreaterThanOrEqual(p99)
  expect(p99).toBeGreaterThanOrEqual(p50)
})

test('timers that never had a turn count with the time they are late', () => {
  const probe = new LatenessProbe()
  probe.start()
  hold(60)
  expect(probe.stop().p50).toBeGreaterThanOrEqual(50e6)
})

test('timers go on after they fired: what comes later is seen as well', async () => {
  const probe = new LatenessProbe()
  probe.start()
  await sleep(30)
  hold(80)
  await sleep(5)
  expect(probe.stop().max).toBeGreaterThanOrEqual(70e6)
})
