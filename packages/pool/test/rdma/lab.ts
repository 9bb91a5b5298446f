/** The lab's devices, as ground for suites. A test file is its own peer there: as a child process, it finds its task. */
import { describe, it } from 'node:test'
import { labDevices } from '@netts/rdma-suite/lab-devices'
import type { Ground } from './ground.js'
import { MOMENTS } from './peer.js'

export function labGrounds(): Ground[] {
  return labDevices().map(({ name, type, address }) => ({
    name,
    describe,
    it: (title, body) => void it(title, { timeout: 180_000 }, body),
    host: address,
    silentHost: address.replace(/\d+$/, '77'),
    program: { path: process.argv[1]! },
    isIwarp: type === 'siw',
    timeoutMs: 8000,
    workers: 8,
    moments: MOMENTS,
  }))
}
