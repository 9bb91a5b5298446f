/** A newcomer's service: the RPC recipe over TLS, with port 0 so that tests can run beside each other. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { tcp } from '@netts/tcp'
import { tls } from '@netts/tls'
import { startService } from '../../../../../../examples/rpc/service.js'

const secured = tls(tcp(), { cert: readFileSync('server.pem'), key: readFileSync('server.key') })
const service = await startService(
  secured,
  { host: '127.0.0.1', port: 0 },
  {
    hello: (name) => `hello ${name}`,
    slow: async (ms, signal) => {
      await sleep(ms as number, undefined, { signal })
      return 'done'
    },
  },
)
console.log('listening', JSON.stringify(service.address))
process.once('SIGTERM', () => {
  console.log('draining')
  void service.drain(10_000).then(() => console.log('drained'))
})
