/** `netts doctor --serve`: the other side of `netts doctor --peer`. */
import { type Connection, type ConnectionListener, isNettsError, isPathAddress, listen } from '@netts/core'
import { tcp } from '@netts/tcp'
import { driverFor } from '../../drivers.js'
import { signal } from '../../signals.js'
import { type Answers, parseQuestion, type Question, type Wire } from './messages.js'
import { greeting, hostCounters } from './route.js'
import { serveTransfers } from './transfer-service.js'

/** Small, because the control connection has to work if large packets are lost. */
const CONTROL_LIMIT = 64 << 10

/** Serves until a signal. */
export async function serve(address: { host: string; port: number }, timeoutMs: number): Promise<void> {
  await using listener = await listen(tcp(), address, { maxMessageSize: CONTROL_LIMIT })
  const { host, port } = listener.address as { host: string; port: number }
  console.log(`serving doctors at ${host.includes(':') ? `[${host}]` : host}:${port}; end it with Ctrl-C`)
  const accepting = acceptAll()
  await Promise.race([signal(), accepting])
  await listener.close()
  for (const connection of listener.connections) connection.destroy()
  await accepting

  async function acceptAll(): Promise<void> {
    for await (const connection of listener) {
      // The failure of one connection does not affect the others.
      attend(connection, timeoutMs).catch((error: Error) => {
        // A doctor that is done may reset its connection.
        if (isNettsError(error) && error.code === 'ERR_NETTS_RESET') return
        say(`a connection failed: ${error.message}${isNettsError(error) ? ` (${error.code})` : ''}`)
      })
    }
  }
}

const say = (message: string) => console.error(`netts doctor: ${message}`)

/** Answers the questions of one doctor. */
async function attend(connection: Connection, timeoutMs: number): Promise<void> {
  const { localAddress, remoteAddress } = connection
  if (isPathAddress(localAddress) || isPathAddress(remoteAddress)) return connection.destroy()
  const host = greeting(localAddress.host).route.address
  say(`${remoteAddress.host} asks`)
  let listener: ConnectionListener | undefined
  const stop = async () => {
    await listener?.close()
    for (const accepted of listener?.connections ?? []) accepted.destroy()
    listener = undefined
  }
  const answer = async (question: Question): Promise<Answers[Question['ask']]> => {
    switch (question.ask) {
      case 'greeting':
        return greeting(host)
      case 'counters':
        return hostCounters(greeting(host).route.device)
      case 'stop':
        await stop()
        return {}
      case 'listen':
        await stop()
        return listenOver(question.wire)
    }
  }
  const listenOver = async (wire: Wire): Promise<Answers['listen']> => {
    try {
      const limits = { stallTimeoutMs: timeoutMs, messageTimeoutMs: timeoutMs }
      listener = await listen(await driverFor(wire), { host, port: 0 }, limits)
    } catch (error) {
      if (!isNettsError(error)) throw error
      return { error: `${error.message} (${error.code})` }
    }
    serveAll(listener).catch((error: Error) => say(`listening over ${wire} failed: ${error.message}`))
    return { port: (listener.address as { port: number }).port }
  }
  try {
    for await (const message of connection) {
      await connection.send(Buffer.from(JSON.stringify(await answer(parseQuestion(message)))))
    }
  } catch (error) {
    connection.destroy(error)
    throw error
  } finally {
    await stop()
  }
}

async function serveAll(listener: ConnectionListener): Promise<void> {
  for await (const connection of listener) {
    // The other doctor reports failures of transfers. A peer that sends an unknown request is disconnected.
    serveTransfers(connection).catch((error: unknown) => connection.destroy(error))
  }
}
