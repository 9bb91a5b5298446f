/** Pools and `preferring` over the addon, on the loopback device. */
import { fileURLToPath } from 'node:url'
import { LOOPBACK_ADDRESS, LOOPBACK_DEVICE, loopbackEnvironment, useLoopback } from '@netts/loopback'
import { describe, it } from 'vitest'
import { fallSuite } from './fall-suite.js'
import { killSuite, poolSuite } from './pool-suite.js'

const isThere = useLoopback()

const ground = {
  name: LOOPBACK_DEVICE,
  describe: (title: string, body: () => void) => void describe.skipIf(!isThere)(title, body),
  it: (title: string, body: () => Promise<void>) => void it(title, body),
  host: LOOPBACK_ADDRESS,
  // RFC 5737: nobody's, where the device does not answer.
  silentHost: '192.0.2.77',
  program: {
    path: fileURLToPath(new URL('peer.program.ts', import.meta.url)),
    execArgv: ['--conditions=@netts/source', '--import', 'tsx'],
    env: loopbackEnvironment(),
  },
  isIwarp: false,
  timeoutMs: 1000,
  workers: 20,
  moments: ['hello', 'ready'] as const,
}

poolSuite(ground)
killSuite(ground)
fallSuite(ground)
