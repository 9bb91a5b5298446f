/**
 * An unmodified express application over each transport that is there. In a process of its own, since what express
 * needs does not load under the module conditions of the test runner. Prints a line for each.
 */
import { once } from 'node:events'
import http from 'node:http'
import { json } from 'node:stream/consumers'
import express from 'express'
import { createHttpAgent } from '../src/http.js'
import { serve } from '../src/index.js'
import { usableWires } from './wires.js'

for (const wire of usableWires) {
  const app = express()
  app.use(express.json())
  app.post('/sum/:name', (request, response) => {
    const values = request.body as number[]
    response.json({ name: request.params.name, sum: values.reduce((sum, value) => sum + value, 0) })
  })
  const { client, server, address } = wire.open()
  const application = http.createServer(app)
  const listener = await serve(application, server, address)
  const agent = createHttpAgent(client, { connection: { address: listener.listeningAddress! } })
  const request = http.request({
    agent,
    method: 'POST',
    path: '/sum/all',
    headers: { 'content-type': 'application/json' },
  })
  request.end('[1, 2, 3]')
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  console.log(`${wire.name}: ${response.statusCode} ${JSON.stringify(await json(response))}`)
  agent.destroy()
  application.closeAllConnections()
  await new Promise<void>((resolve) => listener.close(() => resolve()))
}
