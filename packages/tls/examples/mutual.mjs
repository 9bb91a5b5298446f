import { readFileSync } from 'node:fs'
import { tcp } from '@netts/tcp'
import { tls } from '@netts/tls'

const ca = readFileSync('ca.pem')
const secured = tls(tcp(), {
  cert: readFileSync('server.pem'),
  key: readFileSync('server.key'),
  ca,
  requestCert: true,
})
const listener = await secured.listen({ host: '127.0.0.1', port: 0 })

// Without a certificate, a client's transport fails behind its connect.
const stranger = await tls(tcp(), { ca }).connect(listener.address)
await new Promise((resolve) => {
  stranger.waker = () => stranger.pollDisconnect() && resolve()
})
console.log(stranger.error?.code, stranger.error?.cause.code)

const friend = tls(tcp(), { cert: readFileSync('client.pem'), key: readFileSync('client.key'), ca })
const client = await friend.connect(listener.address)
const accepted = await listener.accept()
console.log(accepted?.tls.peerCertificate?.subject, accepted?.tls.protocol)

// Certificates run out while programs run: handshakes from here on use these.
secured.setCredentials({ cert: readFileSync('server.pem'), key: readFileSync('server.key'), ca })

client.destroy()
accepted?.destroy()
await listener.close()
