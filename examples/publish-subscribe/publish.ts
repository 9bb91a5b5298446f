/** Publishes its arguments on a topic. */
import { connect } from '@netts/core'
import { tcp } from '@netts/tcp'

const [port = '7000', topic = 'news', ...texts] = process.argv.slice(2)
const connection = await connect(tcp(), { host: '127.0.0.1', port: Number(port) })
for (const text of texts) await connection.send(Buffer.from(JSON.stringify({ publish: topic, text })))
await connection.close()
