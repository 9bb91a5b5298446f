/**
 * `@netts/conformance`: the suite that every driver passes, under whichever test runner it is given.
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
