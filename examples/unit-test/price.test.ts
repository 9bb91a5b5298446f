/** Unit tests of `price.ts`, without sockets and without waiting. */
import { listen } from '@netts/core'
import { createMockNetwork, type MockNetwork } from '@netts/mock'
import { afterEach, expect, it, vi } from 'vitest'
import { priceOf } from './price.js'

const address = { host: 'prices', port: 7000 }

/** Starts a service that takes `delayMs` milliseconds for each answer. */
async function startPrices(network: MockNetwork, delayMs = 0) {
  const server = await listen(network.builder(), address)
  const serve = async () => {
    for await (const connection of server) {
      for await (const item of connection) {
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
        await connection.send(Buffer.from(item.toString() === 'tea' ? '250' : '0'))
      }
    }
  }
  serve().catch(() => {})
  return server
}

afterEach(() => void vi.useRealTimers())

it('asks for a price', async () => {
  const network = createMockNetwork()
  await using _server = await startPrices(network)
  expect(await priceOf(network.builder(), address, 'tea')).toBe(250)
})

it('waits for a service that is slow', async () => {
  vi.useFakeTimers()
  const network = createMockNetwork()
  await using _server = await startPrices(network, 900)
  const price = priceOf(network.builder(), address, 'tea')
  // Lets the event loop turn between the steps, so that the question arrives and the service begins to wait.
  await vi.advanceTimersByTimeAsync(10)
  await vi.advanceTimersByTimeAsync(900)
  expect(await price).toBe(250)
})

it('gives up after a second', async () => {
  vi.useFakeTimers()
  const network = createMockNetwork()
  await using _server = await startPrices(network, 60_000)
  const price = priceOf(network.builder(), address, 'tea')
  await vi.advanceTimersByTimeAsync(1000)
  expect(await price).toBeUndefined()
})

it('reports a service that crashes while it answers', async () => {
  const network = createMockNetwork({ faults: { server: { crashAfterBytes: 5 } } })
  await using _server = await startPrices(network)
  await expect(priceOf(network.builder(), address, 'tea')).rejects.toMatchObject({
    code: 'ERR_NETTS_PEER_LOST',
  })
})
