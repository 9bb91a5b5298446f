/** A service with two methods. SIGTERM drains it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { tcp } from '@netts/tcp'
import { startService } from './service.js'

const port = Number(process.argv[2] ?? 7000)
const service = await startService(
  tcp(),
  { host: '127.0.0.1', port },
  {
    add: (numbers) => (numbers as number[]).reduce((sum, number) => sum + number, 0),
    sleep: async (ms, signal) => {
      await sleep(ms as number, undefined, { signal })
      return `slept ${ms} ms`
    },
  },
)
console.log('listening', service.address)

process.once('SIGTERM', () => {
  console.log('draining')
  void service.drain(10_000)
})
