/** Sends a file, and prints its progress. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { connect } from '@netts/core'
import { tcp } from '@netts/tcp'

const [port = '7000', path = ''] = process.argv.slice(2)
const { size } = await stat(path)
const connection = await connect(tcp(), { host: '127.0.0.1', port: Number(port) })

await connection.send(Buffer.from(JSON.stringify({ name: basename(path), byteLength: size })))
const hash = createHash('sha256')
let accepted = 0
let shown = 0
for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
  hash.update(chunk)
  // It waits while the receiver is slow, so that only a few chunks are in memory.
  await connection.send(chunk)
  accepted += chunk.byteLength
  const percent = Math.floor((accepted / size) * 100)
  // Accepted bytes may still be queued here.
  if (percent < shown + 10) continue
  shown = percent
  console.log(`${percent} %, ${connection.queuedBytes} bytes queued`)
}
await connection.send(hash.digest())

// Only the receiver's answer confirms that the file has arrived.
const answer = await connection.recv()
if (String(answer) !== 'ok') throw new Error('the receiver did not confirm')
console.log('done')
await connection.close()
