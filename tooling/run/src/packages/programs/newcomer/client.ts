/** Its client: a call, a deadline, and a call that is under way when the service (whose process id it is told) gets SIGTERM. */
import { readFileSync } from 'node:fs'
import { connect } from '@netts/core'
import { tcp } from '@netts/tcp'
import { tls } from '@netts/tls'
import { createCaller } from '../../../../../../examples/rpc/caller.js'

const [port, serverPid] = process.argv.slice(2)
const secured = tls(tcp(), { ca: readFileSync('ca.pem') })
const connection = await connect(secured, { host: '127.0.0.1', port: Number(port) })
console.log('TLS', connection.transport.tls.protocol)
const { call } = createCaller(connection)
console.log(await call('hello', 'netts'))
await call('slow', 60_000, { timeoutMs: 200 }).catch((error) => console.log('deadline:', error.message))
const last = call('slow', 700, { timeoutMs: 5000 })
process.kill(Number(serverPid), 'SIGTERM')
console.log('under way while it drains:', await last)
await connection.peerEnded
await connection.close()
