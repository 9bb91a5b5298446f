/** The process behind `startPeer`: does one task under TLS, then neither reads nor ends. */
import { runPeerTask } from '@netts/conformance'
import type { Address } from '@netts/core'
import { ring } from '@netts/rdma-ring'
import { sendRecv } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { tls } from '../src/index.js'
import type { PeerSetting } from './wires.js'

const wires = { tcp, sendrecv: sendRecv, ring }

// Whoever started it is gone.
process.once('disconnect', () => process.exit())

process.once('message', ({ wire, task, options }: PeerSetting) => {
  const ready = (address: Address) => process.send?.(address)
  if (task.role === 'connect') ready(task.address)
  runPeerTask(tls(wires[wire](), options), task, ready).catch((error) => {
    console.error(error)
    process.exit(1)
  })
})
