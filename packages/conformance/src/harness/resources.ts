/** Counts of resources that must not leak, for fixtures without `resources` of their own. */
import { readdirSync } from 'node:fs'
import type { ResourceCounts } from '../options.js'

/** Handles that the tests themselves open and close. */
const OF_THE_TESTS = new Set(['Timeout', 'Immediate', 'FSReqPromise', 'FSReqCallback', 'CloseReq'])

/** Open file descriptors, where `/proc` has them, and the active handles of the event loop. */
export function processResources(): ResourceCounts {
  const handles = process.getActiveResourcesInfo().filter((kind) => !OF_THE_TESTS.has(kind))
  return { 'event loop handles': handles.length, ...fileDescriptors() }
}

function fileDescriptors(): ResourceCounts {
  try {
    return { 'file descriptors': readdirSync('/proc/self/fd').length }
  } catch {
    return {}
  }
}
