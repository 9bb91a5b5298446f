/** The process behind `peer-lost.deep.test.ts`: takes its network away from a connection, and prints both errors. */
import { execFileSync } from 'node:child_process'
import { tcp } from '../src/index.js'
import { until } from './until.js'

execFileSync('ip', ['link', 'set', 'lo', 'up'])
const builder = tcp({ keepAliveDelayMs: 1000 })
const listener = await builder.listen({ host: '127.0.0.1', port: 0 })
const client = await builder.connect(listener.address)
const server = (await listener.accept())!
execFileSync('ip', ['link', 'set', 'lo', 'down'])
const errors = []
for (const transport of [client, server]) {
  await until(transport, () => transport.pollDisconnect())
  const { error } = transport
  errors.push({ code: error?.code, cause: (error?.cause as NodeJS.ErrnoException | undefined)?.code })
}
await listener.close()
console.log(JSON.stringify(errors))
