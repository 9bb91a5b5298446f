/** The mock as a fixture: how its faults serve the suite's hooks. */
import type { Address, TransportBuilder, TransportCapabilities } from '@netts/core'
import { createMockNetwork, type MockBuilderOptions, type MockNetworkOptions } from '@netts/mock'
import { type ConformanceFixture, runPeerTask } from '../src/index.js'

export const MOCK_CAPABILITIES: TransportCapabilities = { detectsPeerCrash: true, reset: true }

/** A configuration of the mock. */
export interface MockSetting {
  readonly network?: MockNetworkOptions
  readonly limits?: MockBuilderOptions
  /** Puts something around every transport. */
  readonly wrap?: (builder: TransportBuilder) => TransportBuilder
}

/** A network of its own for each test. */
export function mockFixture({ network, limits, wrap }: MockSetting = {}): ConformanceFixture {
  const mock = createMockNetwork(network)
  const bare = mock.builder(limits)
  return {
    builder: wrap ? wrap(bare) : bare,
    listenAddress: () => ({ host: '127.0.0.1', port: 0 }),
    silentAddress() {
      for (let attempt = 0; attempt < 2; attempt++) mock.failNext({ connect: 'never' })
      return { host: '192.0.2.1', port: 9 }
    },
    async startCrashablePeer(task) {
      const index = mock.links.length
      let listening: (address: Address) => void = () => {}
      const address = new Promise<Address>((resolve) => {
        listening = resolve
      })
      const running = runPeerTask(bare, task, listening)
      return {
        address: task.role === 'listen' ? await address : task.address,
        async crash() {
          await running
          mock.links[index]?.[task.role === 'connect' ? 'client' : 'server'].crash()
        },
      }
    },
  }
}
