/** HTTP/2 for ten minutes on a connection whose directions stall at random: nothing blocks for ever, and no byte is wrong. */
import { createMockNetwork } from '@netts/mock'
import { expect, it } from 'vitest'
import { pattern } from './contract/pair.js'
import { echo, openEcho } from './http2-echo.js'
import { SMALLEST } from './wires.js'

const DURATION_MS = 10 * 60_000

/** A generator of numbers below `limit`, always the same ones. */
function randomNumbers(): (limit: number) => number {
  let state = 1
  return (limit) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return (state >> 8) % limit
  }
}

it('100 streams of 256 KiB both ways at a time go on under random stalls', async () => {
  const network = createMockNetwork({ seed: 1, faults: { chaos: true } })
  const builder = network.builder({ ...SMALLEST.mock, sendSlots: 4, recvSlots: 4, recvWindow: 16_384 })
  const service = await openEcho({
    name: 'mock',
    missing: undefined,
    open: () => ({ client: builder, server: builder, address: { host: 'service', port: 0 } }),
  })
  const random = randomNumbers()
  let stalls = 0
  let isOver = false
  /** Stalls one direction after the other, or both at once, for up to 50 ms each. */
  const stallSometimes = async (side: 'client' | 'server') => {
    while (!isOver) {
      await new Promise((resolve) => setTimeout(resolve, random(100)))
      const link = network.links[0]
      if (!link) continue
      link[side].stall()
      stalls++
      await new Promise((resolve) => setTimeout(resolve, random(50)))
      link[side].resume()
    }
  }
  const stalling = [stallSometimes('client'), stallSometimes('server')]
  const bodies = Array.from({ length: 100 }, (_, index) => pattern(256 << 10, index))
  const end = performance.now() + DURATION_MS
  let rounds = 0
  while (performance.now() < end) {
    const answers = await Promise.all(bodies.map((body) => echo(service.session, body)))
    expect(answers.every((answer, index) => answer.equals(bodies[index]!))).toBe(true)
    rounds++
  }
  isOver = true
  await Promise.all(stalling)
  await service.close()
  console.log(`${rounds} rounds of 100 streams, ${stalls} stalls`)
  expect(rounds).toBeGreaterThan(0)
  expect(stalls).toBeGreaterThan(0)
})
