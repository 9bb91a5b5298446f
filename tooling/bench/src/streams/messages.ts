/** Messages one way under TLS: by `node:tls` as bytes that nobody frames, and by connections over `tls()`. */
import { once } from 'node:events'
import { connect, listen } from '@netts/core'
import { type Stand, tlsDrivers, tlsPlainDuplexes, tlsSockets } from './stands.js'

/** A sender whose messages are counted where they arrive. */
export interface Flood {
  /** Sends so many messages of a size; resolves when all of them arrived. */
  send(count: number, byteLength: number): Promise<void>
  close(): void
}

/** Who takes part. */
export interface FloodContender {
  readonly title: string
  open(): Promise<Flood>
}

function bytesOver(stand: Stand): FloodContender {
  return {
    title: stand.title,
    async open() {
      let left = 0
      let onAll: () => void = () => {}
      const { connect: dial, close } = await stand.open((stream) => {
        stream.on('error', () => {})
        stream.on('data', (bytes: Buffer) => {
          left -= bytes.length
          if (left === 0) onAll()
        })
      })
      const stream = dial()
      await once(stream, 'secureConnect')
      return {
        async send(count, byteLength) {
          const message = Buffer.alloc(byteLength, 'netts')
          left = count * byteLength
          const all = new Promise<void>((resolve) => {
            onAll = resolve
          })
          for (let i = 0; i < count; i++) if (!stream.write(message)) await once(stream, 'drain')
          await all
        },
        close() {
          stream.destroy()
          close()
        },
      }
    },
  }
}

const connections: readonly FloodContender[] = tlsDrivers().map(({ title, client, server, address }) => ({
  title,
  async open() {
    const listener = await listen(server, address)
    const near = await connect(client, listener.address)
    const far = (await listener.accept())!
    return {
      async send(count, byteLength) {
        const message = Buffer.alloc(byteLength, 'netts')
        const receive = async () => {
          for (let i = 0; i < count; i++) {
            const lease = far.tryRecvLease() ?? (await far.recvLease())
            if (lease?.byteLength !== byteLength) throw new Error('a wrong message')
            lease.release()
          }
        }
        const received = receive()
        for (let i = 0; i < count; i++) if (!near.trySend(message)) await near.send(message)
        await received
      },
      close() {
        near.destroy()
        far.destroy()
        void listener.close()
      },
    }
  },
}))

export const floods: readonly FloodContender[] = [
  bytesOver(tlsSockets),
  bytesOver(tlsPlainDuplexes),
  ...connections,
]
