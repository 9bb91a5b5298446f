/** The process behind `startCrashablePeer`: does one task, then neither reads nor ends. */
import { type PeerTask, runPeerTask } from '@netts/conformance'
import type { Address } from '@netts/core'
import { tcp } from '../src/index.js'

// Whoever started it is gone.
process.once('disconnect', () => process.exit())

process.once('message', (task: PeerTask) => {
  const ready = (address: Address) => process.send?.(address)
  if (task.role === 'connect') ready(task.address)
  runPeerTask(tcp(), task, ready).catch((error) => {
    console.error(error)
    process.exit(1)
  })
})
