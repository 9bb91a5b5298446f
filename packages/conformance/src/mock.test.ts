/** The suite over the mock, in its default and in hostile configurations. */
import { createMockNetwork, type MockBuilderOptions, type MockNetworkOptions } from '@netts/mock'
import { describe, it } from 'vitest'
import { type ConformanceFixture, runPeerTask, transportConformance } from './index.js'

function mockFixture(network: MockNetworkOptions, limits: MockBuilderOptions): ConformanceFixture {
  const mock = createMockNetwork(network)
  const builder = mock.builder(limits)
  return {
    builder,
    listenAddress: () => ({ host: '127.0.0.1', port: 0 }),
    silentAddress() {
      mock.failNext({ connect: 'never' })
      mock.failNext({ connect: 'never' })
      return { host: '192.0.2.1', port: 9 }
    },
    async startCrashablePeer(task) {
      const made = mock.links.length
      let running: Promise<void> | undefined
      const address = await new Promise<
        ConformanceFixture['listenAddress'] extends () => infer A ? A : never
      >((resolve) => {
        running = runPeerTask(builder, task, resolve)
        if (task.role === 'connect') resolve(task.address)
      })
      return {
        address,
        async crash() {
          await running
          const link = mock.links[made]
          link?.[task.role === 'connect' ? 'client' : 'server'].crash()
        },
      }
    },
  }
}

function mockConformance(
  name: string,
  network: MockNetworkOptions = {},
  limits: MockBuilderOptions = {},
): void {
  transportConformance({
    name,
    capabilities: { detectsPeerCrash: true, reset: true },
    setup: () => mockFixture(network, limits),
    describe,
    it,
    bulkByteLength: 2 ** 20,
    connections: 100,
    bufferedByteLength: 2 ** 20,
    deadlineMs: 3000,
  })
}

mockConformance('mock')
