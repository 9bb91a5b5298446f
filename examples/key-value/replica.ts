/** One replica: it keeps values with their versions, and knows nothing of the others. */
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
      // A write that comes late does not undo one that is newer.
      if (isNewer(versioned, values.get(key) ?? NOTHING)) values.set(key, versioned)
      return 'ok'
    },
  },
)
console.log('listening', replica.address)
process.once('SIGTERM', () => void replica.drain(5_000))
