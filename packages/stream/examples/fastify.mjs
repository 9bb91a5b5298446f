// An unmodified fastify application over any transport, here TCP.
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { serve } from '@netts/stream'
import { createHttpAgent } from '@netts/stream/http'
import { tcp } from '@netts/tcp'
import fastify from 'fastify'

const app = fastify()
app.get('/hello', async () => ({ hello: 'world' }))
await app.ready()
const listener = await serve(app.server, tcp(), { host: '127.0.0.1', port: 0 })

// The agent connects there whatever host a request names.
const agent = createHttpAgent(tcp(), { keepAlive: true, connection: { address: listener.listeningAddress } })
const response = await new Promise((resolve, reject) => {
  http.get('http://service/hello', { agent }, resolve).on('error', reject)
})
console.log(response.statusCode, await text(response))

agent.destroy()
listener.close()
await app.close()
