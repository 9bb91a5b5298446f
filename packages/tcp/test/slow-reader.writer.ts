/** The writer process of `slow-reader.deep.test.ts`. */
import { type Address, connect } from '@netts/core'
import { tcp } from '../src/index.js'

process.once('message', (job: { address: Address; byteLength: number; count: number }) => {
  write(job.address, job.byteLength, job.count).catch((error) => {
    console.error(error)
    process.exit(1)
  })
})

async function write(address: Address, byteLength: number, count: number): Promise<void> {
  const connection = await connect(tcp(), address)
  const message = Buffer.alloc(byteLength)
  const rssBefore = process.memoryUsage.rss()
  let rssPeak = rssBefore
  for (let index = 0; index < count; index++) {
    message.fill(index & 0xff)
    await connection.send(message)
    if (index % 64 === 0) rssPeak = Math.max(rssPeak, process.memoryUsage.rss())
  }
  await connection.close()
  process.send?.({ rssBefore, rssPeak })
  process.disconnect()
}
