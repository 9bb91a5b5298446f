// fetch of undici over any transport, here TCP.
import http from 'node:http'
import { serve } from '@netts/stream'
import { undiciConnector } from '@netts/stream/undici'
import { tcp } from '@netts/tcp'
import { Agent, fetch } from 'undici'

const application = http.createServer((_request, response) => response.end('hello'))
const listener = await serve(application, tcp(), { host: '127.0.0.1', port: 0 })

const dispatcher = new Agent({ connect: undiciConnector(tcp(), { address: listener.listeningAddress }) })
const response = await fetch('http://service/', { dispatcher })
console.log(response.status, await response.text())

await dispatcher.close()
listener.close()
