/** Subscribes to a topic, and prints a given number of messages. */
import { connect } from '@netts/core'
import { tcp } from '@netts/tcp'

const [port = '7000', topic = 'news', count = '1'] = process.argv.slice(2)
const connection = await connect(tcp(), { host: '127.0.0.1', port: Number(port) })
await connection.send(Buffer.from(JSON.stringify({ subscribe: topic })))
let left = Number(count) + 1
for await (const message of connection) {
  console.log(message.toString())
  if (--left === 0) break
}
await connection.close()
