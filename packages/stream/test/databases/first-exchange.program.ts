/**
 * Clients whose servers are not here: what each sends first, over each transport that is there. Prints a line for each:
 * the client, the transport, and the bytes in hexadecimal. The process ends with the last one.
 */
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { Kafka } from 'kafkajs'
import { Client as LdapClient } from 'ldapts'
import { createTransport } from 'nodemailer'
import rhea from 'rhea'
import { Client as SshClient } from 'ssh2'
import { connectStream, createStreamServer, type TransportStream } from '../../src/index.js'
import { usableWires } from '../wires.js'

type Connect = () => TransportStream

const ignore = () => {}

/** Begins a session with each, as its documentation says. */
const clients: Record<string, (connect: Connect) => unknown> = {
  kafkajs: (connect) => {
    const socketFactory = ({ onConnect }: { onConnect: () => void }) => connect().once('connect', onConnect)
    const kafka = new Kafka({ brokers: ['broker:9092'], socketFactory: socketFactory as never, logLevel: 0 })
    return kafka.admin().connect().catch(ignore)
  },
  rhea: (connect) => {
    const container = rhea.create_container()
    for (const event of ['disconnected', 'connection_error', 'error']) container.on(event, ignore)
    const options = {
      reconnect: false,
      connect: (_port: number, _host: string, _options: unknown, onConnect: () => void) =>
        connect().once('connect', onConnect),
    }
    return container.connect(options as never)
  },
  ldapts: (connect) => {
    const options = { url: 'ldap://directory', createConnection: connect }
    return new LdapClient(options as never).bind('cn=netts', 'secret').catch(ignore)
  },
  ssh2: (connect) => {
    const client = new SshClient()
    client.on('error', ignore)
    return client.connect({ sock: connect(), username: 'netts' })
  },
  nodemailer: (connect) => {
    const getSocket = (_options: unknown, callback: (error: null, socket: object) => void) => {
      const connection = connect()
      connection.once('connect', () => callback(null, { connection }))
    }
    const message = { from: 'a@example.org', to: 'b@example.org', text: 'hello' }
    return createTransport({ host: 'mail', getSocket } as never)
      .sendMail(message)
      .catch(ignore)
  },
  'node:tls': (connect) => connectTls({ socket: connect(), rejectUnauthorized: false }).on('error', ignore),
}

for (const wire of usableWires) {
  for (const [name, begin] of Object.entries(clients)) {
    const { client, server, address } = wire.open()
    const listener = createStreamServer(server)
    listener.listen(address)
    await once(listener, 'listening')
    const accepted = once(listener, 'connection')
    void begin(() => connectStream(client, listener.listeningAddress!).on('error', ignore))
    const [stream] = (await accepted) as [TransportStream]
    stream.on('error', ignore)
    // The one whose server speaks first.
    if (name === 'nodemailer') stream.write('220 mail ready\r\n')
    const [bytes] = (await once(stream, 'data')) as [Buffer]
    console.log(`${name}; ${wire.name}; ${bytes.toString('hex', 0, 16)}`)
    stream.destroy()
    listener.close()
  }
}
// Clients try again for as long as they are let.
process.exit(0)
