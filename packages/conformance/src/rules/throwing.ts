/** An exception thrown by a waker or a driver ends that connection only: no other connection, and not the process. */
import assert from 'node:assert/strict'
import { createConnection, isNettsError, type Transport } from '@netts/core'
import { meanwhile } from '../harness/deadline.js'
import { assertCode } from '../harness/expect.js'
import { checkReceived, message } from '../harness/messages.js'
import { uncaughtDuring } from '../harness/uncaught.js'
import type { Area } from './area.js'

/** What a connection uses of a transport. How it sends is its choice. */
const USED: Readonly<Record<string, readonly (keyof Transport)[]>> = {
  'a send': ['sendCopy', 'sendGather', 'sendBuffer'],
  pollSendCompletion: ['pollSendCompletion'],
  pollRecv: ['pollRecv'],
  recvBuf: ['recvBuf'],
  repostRecv: ['repostRecv'],
  recvEnded: ['recvEnded'],
  pollDisconnect: ['pollDisconnect'],
  queuedBytes: ['queuedBytes'],
  finish: ['finish'],
  disconnect: ['disconnect'],
}

/** The transport, one of whose `members` throws once when it is used the next time after `arm`. */
function throwingOnce(
  inner: Transport,
  members: readonly PropertyKey[],
  error: Error,
): { transport: Transport; arm(): void; hasThrown(): boolean } {
  let isArmed = false
  let hasThrown = false
  const use = <T>(name: string | symbol, action: () => T): T => {
    if (isArmed && members.includes(name)) {
      isArmed = false
      hasThrown = true
      throw error
    }
    return action()
  }
  const transport = new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function' || name === 'waker') return use(name, () => value)
      return (...args: unknown[]) => use(name, () => Reflect.apply(value, target, args))
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
  const arm = () => {
    isArmed = true
  }
  return { transport, arm, hasThrown: () => hasThrown }
}

export const throwingRules: Area = (rule) => {
  rule(
    'a waker that throws ends its own transport with ERR_NETTS_INTERNAL, and nothing else',
    async (context) => {
      const listener = await context.listen()
      const bystander = await context.pair(listener)
      // At another position of its stream than the others, so that their bytes would be detected here.
      await context.checkWorks(bystander, 777)
      const thrown = new Error('a waker that throws')
      const uncaught = await uncaughtDuring(async () => {
        for (let round = 0; round < 3; round++) {
          const [client, server] = await context.rawPair(listener)
          server.waker = () => {
            server.waker = undefined
            throw thrown
          }
          const expected = bystander.server.received + 5000
          const sending = meanwhile(bystander.client.send(5000))
          await context.eventually('a send', () => client.sendCopy(Buffer.alloc(1000, 0xee)) > 0)
          await context.eventually('the transport to be closed', () => server.pollDisconnect())
          assertCode(server.error, 'ERR_NETTS_INTERNAL')
          assert.equal(server.error.cause, thrown)
          assert.equal(server.pollRecv([{ chunkIndex: -1, byteLength: -1 }]), 0)
          await bystander.server.receiveTo(expected)
          await sending
          await context.eventually('the peer to see the end', () => {
            client.pollRecv([])
            return client.recvEnded || client.pollDisconnect()
          })
        }
        await context.checkWorks(bystander)
        await context.checkWorks(await context.pair(listener))
      })
      assert.deepEqual(uncaught, [])
    },
  )

  for (const [what, members] of Object.entries(USED)) {
    rule(
      `a connection whose transport throws from ${what} fails with that cause, and settles everything`,
      async (context) => {
        const listener = await context.listen()
        const bystander = await context.pair(listener)
        const [client, server] = await context.rawPair(listener)
        const thrown = new Error(`made up by ${what}`)
        const faulty = throwingOnce(client, members, thrown)
        const peer = context.ownConnection(createConnection(server))
        const uncaught = await uncaughtDuring(async () => {
          const connection = context.ownConnection(
            createConnection(faulty.transport, { stallTimeoutMs: 60_000 }),
          )
          await Promise.all([connection.send(message(0, 100)), checkReceived(peer, 0, 100)])
          await Promise.all([peer.send(message(1, 100)), checkReceived(connection, 1, 100)])
          faulty.arm()
          const sizes = [10, 5000, 3 * client.maxSendSize, 70]
          const reading = (async () => {
            for await (const _ of peer);
          })()
          const operations: Promise<unknown>[] = []
          const begin = (operation: Promise<unknown>) => void operations.push(meanwhile(operation))
          for (const [i, size] of sizes.entries()) begin(connection.send(message(i, size)))
          const byteLength = Math.min(5000, client.maxSendSize - 4)
          begin(connection.send(connection.alloc(byteLength)))
          for (const other of [connection.flush(), connection.recv(), peer.send(message(2, 100))])
            begin(other)
          const first = Promise.allSettled(operations)
          for (const other of [connection.recv(), reading]) begin(other)
          // On a busy machine they take a while; an earlier end would skip some of them.
          await context.within('the first operations', Promise.race([first, connection.closed]))
          connection.finish()
          for (const ending of [connection.recv(), connection.close()]) begin(ending)
          for (const outcome of await context.within('every operation', Promise.allSettled(operations))) {
            if (outcome.status === 'rejected') assert.ok(isNettsError(outcome.reason), String(outcome.reason))
          }
          const error = await context.within('the connection to be closed', connection.closed)
          await context.within('its peer to be closed', peer.closed)
          assert.ok(faulty.hasThrown(), `${what} was never used`)
          assertCode(error, 'ERR_NETTS_INTERNAL')
          assert.equal(error.cause, thrown)
        })
        assert.deepEqual(uncaught, [])
        await context.checkWorks(bystander)
      },
    )
  }
}
