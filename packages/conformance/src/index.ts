/**
 * `@netts/conformance`: the test suite that every driver passes, under any test runner.
 *
 * @packageDocumentation
 */
export type {
  ConformanceFixture,
  ConformanceOptions,
  CrashablePeer,
  PeerTask,
  ResourceCounts,
} from './options.js'
export { runPeerTask } from './peer.js'
export { connectionConformance, runRandomSchedules, transportConformance } from './suite.js'
