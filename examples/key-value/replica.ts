/** One replica. It stores values with their versions, and does not know the other replicas. */
import { tcp } from '@netts/tcp'
import { startService } from '../rpc/service.js'
import { isNewer, NOTHING, type Versioned } from './versions.js'

const port = Number(process.argv[2] ?? 7000)
const values = new Map<string, Versioned>()

const replica = await startService(
  tcp(),
  { host: '127.0.0.1', port },
  {
    get: (key) => values.get(key as string) ?? NOTHING,
    put: (argument) => {
      const { key, versioned } = argument as { key: string; versioned: Versioned }
      // A write that arrives late must not replace a newer one.
      if (isNewer(versioned, values.get(key) ?? NOTHING)) values.set(key, versioned)
      return 'ok'
    },
  },
)
console.log('listening', replica.address)
process.once('SIGTERM', () => void replica.drain(5_000))
