/** A peer of the conformance suite on the loopback device, in a process of its own, so that it can be killed. */
import { runPeerTask } from '@netts/conformance'
import { sendRecv } from '../src/index.js'
import type { LoopbackPeer } from './loopback-conformance.js'

const { task, options } = JSON.parse(process.env.NETTS_LOOPBACK_PEER!) as LoopbackPeer
await runPeerTask(sendRecv(options), task, (address) => process.send?.(address))
