/** Sends its arguments as messages, and prints the answers. */
import { connect } from '@netts/core'
import { tcp } from '@netts/tcp'

const [port = '7000', ...words] = process.argv.slice(2)
const connection = await connect(tcp(), { host: '127.0.0.1', port: Number(port) })

for (const word of words) {
  await connection.send(Buffer.from(word))
  const answer = await connection.recv()
  // The server's end is `undefined`, not an exception.
  if (answer === undefined) throw new Error('the server ended the connection')
  console.log(answer.toString())
}

await connection.close()
