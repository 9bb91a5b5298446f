/** The suite that every driver passes, over Duplexes that netts did not make. */
import { transportConformance } from '@netts/conformance'
import type { TransportBuilder } from '@netts/core'
import { describe, it } from 'vitest'
import { overPairs, overSockets } from './duplex-builder.js'

const builders: Readonly<Record<string, () => TransportBuilder>> = {
  'transportFromDuplex over sockets of node:net': overSockets,
  'transportFromDuplex over pairs of Duplexes': overPairs,
  'transportFromDuplex over pairs, in the smallest window': () =>
    overPairs({ maxSendSize: 1024, sendDepth: 1, recvWindow: 1024 }, 1024),
}

for (const [name, builder] of Object.entries(builders)) {
  transportConformance({
    name,
    capabilities: { detectsPeerCrash: false, reset: false },
    setup: () => ({ builder: builder(), listenAddress: () => ({ host: '127.0.0.1', port: 0 }) }),
    describe,
    it,
    bulkByteLength: 2 ** 20,
    connections: 60,
    schedules: 6,
  })
}
