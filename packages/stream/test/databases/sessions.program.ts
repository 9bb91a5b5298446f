/**
 * A client's session over each transport that is there: `sessions.program.ts CLIENT`. In a process of its own, since
 * not all clients load under the module conditions of the test runner. Prints a line for each session.
 */
import { once } from 'node:events'
import net from 'node:net'
import { connectStream, createStreamServer } from '../../src/index.js'
import { usableWires } from '../wires.js'
import { startServer } from './server.js'
import { sessions } from './sessions.js'

// The test's deadline: an orderly exit, so that no server outlives it.
process.once('SIGTERM', () => process.exit(1))
const { run, server: program } = sessions[process.argv[2]!]!
const server = await startServer(program)
try {
  for (const wire of usableWires) {
    const { client, server: builder, address } = wire.open()
    // As a tunnel does, which ends at the server's socket.
    const listener = createStreamServer(builder, { allowHalfOpen: true }, (stream) => {
      const socket = net.connect({ path: server.path, allowHalfOpen: true })
      for (const side of [stream, socket]) side.on('error', () => {})
      stream.pipe(socket).pipe(stream)
    })
    listener.listen(address)
    await once(listener, 'listening')
    await run(() => connectStream(client, listener.listeningAddress!))
    // The client has ended its connections.
    await new Promise<void>((resolve) => listener.close(() => resolve()))
    console.log(wire.name)
  }
} finally {
  await server.stop()
}
