/** An application that users bundle: it answers over TCP, then over RDMA, and prints what came, or why nothing did. */
import { connect, listen } from '@netts/core'
import { sendRecv } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { rdmaAvailability } from '@netts/verbs'

async function echo(name, builder) {
  const server = await listen(builder, { host: '127.0.0.1', port: 0 })
  const client = await connect(builder, server.address)
  const accepted = await server.accept()
  await client.send(Buffer.from(`hello over ${name}`))
  console.log(String(await accepted.recv()))
  await Promise.all([client.close(), accepted.close(), server.close()])
}

async function main() {
  await echo('tcp', tcp())
  const rdma = rdmaAvailability()
  if (rdma.available) {
    await echo('rdma', sendRecv())
  } else {
    const error = await listen(sendRecv(), { host: '127.0.0.1', port: 0 }).catch((reason) => reason)
    console.log(`${rdma.reason}: ${error.code}: ${error.message}`)
  }
}

// A CommonJS bundle has no top-level await.
main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
