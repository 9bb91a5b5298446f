/** Receives files into a folder. The length and the hash of a file are checked before it gets its name. */
import { createHash } from 'node:crypto'
import { mkdtemp, open, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Connection, listen } from '@netts/core'
import { tcp } from '@netts/tcp'

const [port = '7000', folder = '.'] = process.argv.slice(2)
const server = await listen(tcp(), { host: '127.0.0.1', port: Number(port) }, { maxMessageSize: 2 ** 20 })
console.log('listening', server.address)
process.once('SIGTERM', () => void server.close({ drain: true }))

for await (const connection of server) {
  receive(connection).catch((error) => {
    console.error('a transfer failed:', error)
    connection.destroy(error)
  })
}

/** Receives one file: a header as JSON, the bytes of the file in messages, and their hash. */
async function receive(connection: Connection): Promise<void> {
  const header = JSON.parse(String(await connection.recv()))
  const { name, byteLength } = header as { name: unknown; byteLength: unknown }
  // The peer chose the name: it must not lead out of the folder.
  if (typeof name !== 'string' || name !== basename(name) || name.startsWith('.')) throw new Error('bad name')
  if (!Number.isSafeInteger(byteLength)) throw new Error('bad length')

  const temporary = await mkdtemp(join(folder, '.receiving-'))
  try {
    const file = await open(join(temporary, name), 'wx')
    const hash = createHash('sha256')
    try {
      for (let received = 0; received < (byteLength as number); ) {
        // A lease shows the bytes where they arrived, so that they are written without a copy.
        const lease = await connection.recvLease()
        if (!lease) throw new Error(`the sender ended after ${received} of ${byteLength} bytes`)
        received += lease.byteLength
        hash.update(lease.bytes)
        await file.write(lease.bytes)
        lease.release()
      }
    } finally {
      await file.close()
    }
    const expected = await connection.recv()
    if (!expected?.equals(hash.digest())) throw new Error('the hash differs')
    await rename(join(temporary, name), join(folder, name))
    console.log('received', name)
    await connection.send(Buffer.from('ok'))
    await connection.close()
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}
