// A WebSocket server and its client, with ws, over any transport, here TCP.
import { once } from 'node:events'
import http from 'node:http'
import { createConnector, serve } from '@netts/stream'
import { tcp } from '@netts/tcp'
import { WebSocket, WebSocketServer } from 'ws'

const application = http.createServer()
const sockets = new WebSocketServer({ server: application })
sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(`you said ${message}`)))
const listener = await serve(application, tcp(), { host: '127.0.0.1', port: 0 })

const createConnection = createConnector(tcp(), { address: listener.listeningAddress })
const client = new WebSocket('ws://service', { createConnection })
await once(client, 'open')
client.send('hello')
const [message] = await once(client, 'message')
console.log(String(message))

client.close()
await once(client, 'close')
listener.close()
