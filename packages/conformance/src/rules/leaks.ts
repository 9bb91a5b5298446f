/** Leaks: the counts of descriptors, handles and buffers are the same before and after many uses. */
import assert from 'node:assert/strict'
import type { Context } from '../harness/context.js'
import { pause } from '../harness/deadline.js'
import { processResources } from '../harness/resources.js'
import type { ResourceCounts } from '../options.js'
import type { Area } from './area.js'

const ROUNDS = 30

/** Runs `use` many times, and fails if the resource counts do not return to what they were after the first time. */
async function checkLeavesNothing(context: Context, use: () => Promise<void>): Promise<void> {
  const count = async (): Promise<ResourceCounts> => context.fixture.resources?.() ?? processResources()
  // The first use may open resources that the process keeps.
  await use()
  await settled(context, count)
  const before = await count()
  for (let round = 0; round < ROUNDS; round++) await use()
  let after = before
  const grown = () => Object.keys(before).filter((name) => (after[name] ?? 0) > (before[name] ?? 0))
  await context.eventually(
    () =>
      `${grown()
        .map((name) => `${name} (${before[name]} before, ${after[name]} now)`)
        .join(', ')} to go down`,
    async () => {
      after = await count()
      return grown().length === 0
    },
  )
}

/** Waits until the counts no longer change: the first use may open resources that are closed a little later. */
async function settled(context: Context, count: () => Promise<ResourceCounts>): Promise<void> {
  let last = ''
  let same = 0
  await context.eventually('the counts to settle', async () => {
    const now = JSON.stringify(await count())
    same = now === last ? same + 1 : 0
    last = now
    return same === 4
  })
}

export const leakRules: Area = (rule) => {
  rule('connections that are used and closed', async (context) => {
    const listener = await context.listen()
    await checkLeavesNothing(context, async () => {
      const { client, server } = await context.pair(listener)
      await context.checkWorks({ client, server })
      client.transport.disconnect()
      await server.receiveToEnd()
      server.transport.disconnect()
      assert.equal(await client.closed(), undefined)
      assert.equal(await server.closed(), undefined)
    })
  })

  rule('connections that are destroyed in mid-transfer', async (context) => {
    const listener = await context.listen()
    await checkLeavesNothing(context, async () => {
      const { client, server } = await context.pair(listener)
      await client.send(1)
      client.sendUntilRefused(2 ** 20)
      server.trySend(1000, 'sendBuffer')
      await server.receiveTo(1)
      const held = server.take(1)
      client.transport.destroy()
      await server.ended()
      server.transport.destroy()
      // Received chunks stay with the holder after the connection's end, and must be released.
      for (const chunk of held) server.release(chunk)
    })
  })

  rule('attempts that are refused', async (context) => {
    const listener = await context.listen()
    await listener.close()
    await checkLeavesNothing(context, async () => {
      await context.builder.connect(listener.address).then(
        (transport) => context.own(transport),
        () => undefined,
      )
    })
  })

  rule('attempts that are aborted', async (context) => {
    const listener = await context.listen()
    await checkLeavesNothing(context, async () => {
      const controller = new AbortController()
      const attempt = context.builder.connect(listener.address, { signal: controller.signal })
      queueMicrotask(() => controller.abort())
      await attempt.then(
        (transport) => transport.destroy(),
        () => undefined,
      )
      // If the listener accepted the aborted attempt, destroy that connection too.
      const waiting = new AbortController()
      const accepting = listener.accept({ signal: waiting.signal }).catch(() => undefined)
      await pause(5)
      waiting.abort()
      const seen = await accepting
      seen?.destroy()
    })
  })

  rule('listeners that are opened and closed, with a connection nobody accepted', async (context) => {
    await checkLeavesNothing(context, async () => {
      const listener = await context.listen()
      const client = await context.connect(listener.address)
      await listener.close()
      client.destroy()
    })
  })
}
