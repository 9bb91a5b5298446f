import { expect, test } from 'vitest'
import { figures, scenarios } from './plan.js'
import type { SideSample } from './run/protocol.js'
import type { Scenario } from './scenario.js'

const nothing: SideSample = {
  elapsedMs: 1000,
  cpuMs: 0,
  payloads: 0,
  rssGrowthBytes: 0,
  externalGrowthBytes: 0,
  pinnedGrowthBytes: 0,
}

function scenario(id: string): Scenario {
  return scenarios.find((one) => one.id === id) as Scenario
}

function neverDecode(): never {
  throw new Error('there is no histogram')
}

test('what a broadcast leaves is divided by the connections, for the process that sent and for the other', () => {
  const server = { ...nothing, rssGrowthBytes: 82_000_000, externalGrowthBytes: 64_000_000 }
  const client = { ...nothing, rssGrowthBytes: -1000, externalGrowthBytes: 2000 }
  const point = { byteLength: 64, connections: 1000 }
  expect(figures(scenario('broadcast'), point, { server, client }, neverDecode)).toMatchObject({
    rssServer: 82_000,
    externalServer: 64_000,
    rssClient: -1,
    externalClient: 2,
  })
})

test('lateness has the figures that its scenario shows', () => {
  const server = { ...nothing, payloads: 10, lateness: { p50: 1, p99: 2, max: 3 } }
  const client = { ...nothing, payloads: 10, lateness: { p50: 4, p99: 5, max: 6 } }
  const point = { byteLength: 64, connections: 1 }
  const found = figures(scenario('lateness'), point, { server, client }, neverDecode)
  expect(scenario('lateness').metrics.map(({ id }) => found[id])).toEqual([2, 1, 3, 5, 6])
})
