/**
 * `@netts/mock`: in-memory transports with scripted faults, for testing code that is written against `@netts/core`.
 *
 * @packageDocumentation
 */
export { createVirtualClock, type MockClock, type VirtualClock } from './clock.js'
export type { MockChaos, MockFaults, MockSideFaults } from './faults.js'
export type { MockLimits } from './limits.js'
export type { MockLink, MockSide } from './link.js'
export {
  createMockNetwork,
  type MockAttempt,
  type MockBuilderOptions,
  type MockNetwork,
  type MockNetworkOptions,
  type MockScript,
} from './network.js'
