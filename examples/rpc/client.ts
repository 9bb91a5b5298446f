/** Calls the service: one call gets its answer, one misses its deadline, and one is cancelled. */
import { connect } from '@netts/core'
import { tcp } from '@netts/tcp'
import { createCaller } from './caller.js'

const port = Number(process.argv[2] ?? 7000)
const connection = await connect(tcp(), { host: '127.0.0.1', port })
const { call } = createCaller(connection)

console.log('add:', await call('add', [1, 2, 3]))

// Several calls share the connection, and each gets its own answer.
console.log('both:', await Promise.all([call('sleep', 50), call('add', [4, 5])]))

// The service stops working when the deadline has passed.
await call('sleep', 60_000, { timeoutMs: 100 }).catch((error) => console.log('late:', error.message))

const abort = new AbortController()
setTimeout(() => abort.abort(new Error('the answer is no longer needed')), 20)
await call('sleep', 60_000, { signal: abort.signal }).catch((error) =>
  console.log('cancelled:', error.message),
)

await connection.close()
