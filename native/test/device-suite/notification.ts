/** Completion queues: notification and its race, solicited completions, overrun, batches. */
import assert from 'node:assert/strict'
import type { CompletionChannel } from '../../lib/verbs/completion-queue.js'
import type { DeviceEvent } from '../../lib/verbs/device.js'
import { COMPLETION, SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import type { Bench, DeviceTest } from './bench.js'
import { connectPair, type Pair } from './pair.js'

const empty = { opcode: SendOpcode.send, flags: SendFlag.signalled }

/** Counts the notifications of a queue or a channel, and waits for them. */
function countNotifications(notifier: Pick<CompletionChannel, 'onNotify'>) {
  let count = 0
  let waiter: (() => void) | undefined
  notifier.onNotify = () => {
    count++
    waiter?.()
  }
  return {
    get count() {
      return count
    },
    async reach(target: number): Promise<void> {
      while (count < target) {
        await new Promise<void>((resolve) => {
          waiter = resolve
        })
      }
    },
  }
}

/** Lets the device and the loop do whatever they are about to. */
function pause(bench: Bench, delayMs: number): Promise<void> {
  return new Promise((resolve) => bench.client.clock.setTimer(resolve, delayMs))
}

export function notificationTests(test: DeviceTest): void {
  test('an armed queue notifies once, and not again until it is armed anew', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    server.receive({}, {}, {})
    const notifications = countNotifications(server.completions.queue)
    server.completions.queue.arm()
    client.send(empty)
    await notifications.reach(1)
    client.send(empty)
    await client.completions.succeed(2)
    await pause(bench, 20)
    assert.equal(notifications.count, 1)
    assert.equal(server.completions.poll().length, 2)
    server.completions.queue.arm()
    client.send(empty)
    await notifications.reach(2)
    close()
  })

  test('what completed before arming gives no notification, but a poll after arming finds it', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    server.receive({}, {})
    const notifications = countNotifications(server.completions.queue)
    client.send(empty)
    await client.completions.succeed(1)
    await pause(bench, 20)
    server.completions.queue.arm()
    await pause(bench, 20)
    assert.equal(notifications.count, 0)
    assert.equal(server.completions.poll().length, 1)
    close()
  })

  test('armed for solicited completions, it sleeps through the others', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    server.receive({}, {})
    const notifications = countNotifications(server.completions.queue)
    server.completions.queue.arm(true)
    client.send(empty)
    await client.completions.succeed(1)
    await pause(bench, 20)
    // On iWARP the addon arms for all, because siw reports nothing as solicited.
    const awake = client.device.transport === 'iwarp' ? 1 : 0
    assert(notifications.count <= awake)
    client.send({ ...empty, flags: SendFlag.signalled | SendFlag.solicited })
    await notifications.reach(1)
    assert.equal(server.completions.poll().length, 2)
    close()
  })

  test('an error counts as solicited', async (bench) => {
    const { server, close } = await connectPair(bench)
    server.receive({ id: 1n })
    const notifications = countNotifications(server.completions.queue)
    server.completions.queue.arm(true)
    server.queuePair.moveToError()
    await notifications.reach(1)
    close()
  })

  test('a channel takes what its queues have, and wakes for those that it armed', async (bench) => {
    const first = await connectPair(bench)
    const { channel } = first.server
    const queue = channel.createCompletionQueue({ maxCompletions: 16 })
    const ofSecond = { sendCompletionQueue: queue, receiveCompletionQueue: queue }
    const second = await connectPair(bench, { server: { queuePair: ofSecond } })
    const wakes = countNotifications(channel)
    const taken: number[] = []
    const take = (count: number) => {
      for (let index = 0; index < count; index++) {
        taken.push(channel.completions[index * COMPLETION.words + COMPLETION.queuePairNumber]!)
      }
    }
    for (const { server } of [first, second]) server.receive({}, {}, {}, {})
    assert.equal(channel.arm(), 0)
    for (const { client } of [first, second]) client.send(empty, empty)
    while (taken.length < 4) {
      const { count } = wakes
      take(channel.poll())
      const found = channel.arm()
      take(found)
      if (found === 0 && taken.length < 4) await wakes.reach(count + 1)
    }
    const numbers = [first, second].map(({ server }) => server.queuePair.number)
    assert.deepEqual(
      numbers.map((number) => taken.filter((other) => other === number).length),
      [2, 2],
    )
    // All of them sleep again: only the one that has something is woken.
    while (channel.arm() > 0);
    const { count } = wakes
    second.client.send(empty)
    await wakes.reach(count + 1)
    taken.length = 0
    while (taken.length === 0) take(channel.poll())
    assert.deepEqual(taken, [numbers[1]])
    // What came before the arming is found by it.
    second.client.send(empty)
    await second.client.completions.succeed(4)
    await pause(bench, 20)
    assert.equal(channel.arm(), 1)
    first.close()
    second.close()
    queue.close()
  })

  test('a queue that sleeps is looked at only once it was woken itself', async (bench) => {
    const first = await connectPair(bench)
    const { channel } = first.server
    const queue = channel.createCompletionQueue({ maxCompletions: 16 })
    const ofSecond = { sendCompletionQueue: queue, receiveCompletionQueue: queue }
    const second = await connectPair(bench, { server: { queuePair: ofSecond } })
    const wakes = countNotifications(channel)
    for (const { server } of [first, second]) server.receive({})
    while (channel.arm() > 0);
    second.client.send(empty)
    await wakes.reach(1)
    assert.equal(channel.poll(), 1)
    // Without a turn of the event loop in between, in which it would be woken.
    first.client.send(empty)
    const untilMs = performance.now() + 5000
    let completed = 0
    while (completed === 0 && performance.now() < untilMs) completed = first.client.completions.poll().length
    assert.equal(completed, 1)
    assert.equal(channel.poll(), 0)
    await wakes.reach(2)
    assert.equal(channel.poll(), 1)
    first.close()
    second.close()
    queue.close()
  })

  test('a queue that always has a full batch keeps no other waiting', async (bench) => {
    const first = await connectPair(bench)
    const channel = first.server.device.createCompletionChannel({ batch: 4 })
    const queues = [0, 1].map(() => channel.createCompletionQueue({ maxCompletions: 32 }))
    const pairs: Pair[] = []
    for (const queue of queues) {
      const ends = { sendCompletionQueue: queue, receiveCompletionQueue: queue }
      pairs.push(await connectPair(bench, { server: { queuePair: ends } }))
    }
    for (const { client, server } of pairs) {
      server.receive(...Array.from({ length: 12 }, () => ({})))
      // The answer to the Read says that all before it have arrived, on iWARP as well.
      client.send(...Array.from({ length: 12 }, () => empty), { ...empty, opcode: SendOpcode.read })
      await client.completions.succeed(13)
    }
    const found = [0, 1].map(() => {
      assert.equal(channel.poll(), 4)
      return channel.completions[COMPLETION.queuePairNumber]
    })
    assert.notEqual(found[0], found[1])
    for (const { close } of [first, ...pairs]) close()
    for (const queue of queues) queue.close()
    channel.close()
  })

  test('a channel spins as long as it is told, whatever the number of its queues', async (bench) => {
    const SPIN_MS = 2
    const { client, close } = await connectPair(bench)
    const channel = client.device.createCompletionChannel()
    const queues = Array.from({ length: 20 }, () => channel.createCompletionQueue({ maxCompletions: 1 }))
    const tookMs = Array.from({ length: 20 }, () => {
      const beganMs = performance.now()
      assert.equal(channel.poll(SPIN_MS * 1000), 0)
      return performance.now() - beganMs
    })
    // Whatever else the machine does meanwhile.
    assert(Math.min(...tookMs) < 10 * SPIN_MS, `${tookMs} ms`)
    for (const queue of queues) queue.close()
    channel.close()
    close()
  })

  test('a wake that nobody listens for is lost, but what it was for is not', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    server.receive({})
    assert.equal(server.channel.arm(), 0)
    // Nobody listens, and so nobody is woken.
    client.send(empty)
    await client.completions.succeed(1)
    await pause(bench, 20)
    const wakes = countNotifications(server.channel)
    server.receive({})
    await pause(bench, 20)
    assert.equal(wakes.count, 0)
    assert.equal(server.channel.poll(), 1)
    close()
  })

  test('a poll takes no more than its batch, and loses nothing', async (bench) => {
    const { client, server, close } = await connectPair(bench, { server: { batch: 3 } })
    server.receive(...Array.from({ length: 8 }, (_, id) => ({ id: BigInt(id) })))
    client.send(...Array.from({ length: 8 }, () => empty))
    await client.completions.succeed(8)
    assert(server.completions.queue.completions.length === 3 * COMPLETION.words)
    assert.deepEqual(
      (await server.completions.succeed(8)).map(({ id }) => Number(id)),
      [0, 1, 2, 3, 4, 5, 6, 7],
    )
    close()
  })

  test('a full send queue takes no more, and room comes back with completions', async (bench) => {
    const { client, server, close } = await connectPair(bench, {
      client: { queuePair: { maxSendWorkRequests: 4 } },
    })
    server.receive(...Array.from({ length: 32 }, () => ({})))
    const capacity = client.queuePair.maxSendWorkRequests
    let posted = 0
    // A device may round its queues up. Software devices make room when a request completed, polled or not: no
    // more are sent than the peer has receives.
    for (let full = false; !full && posted < Math.min(4 * capacity, 32); ) {
      const count = client.tryPost(empty)
      posted += count
      full = count === 0
    }
    assert(posted >= 4, `${posted} posted`)
    await client.completions.succeed(posted)
    assert.equal(client.tryPost(empty), 1)
    await client.completions.succeed(1)
    close()
  })

  test('a completion queue that overruns says so, and fails once it was emptied', async (bench) => {
    const { client, server, close } = await connectPair(bench, { client: { maxCompletions: 4 } })
    const { queue } = client.completions
    const overrun = new Promise<DeviceEvent>((resolve) => {
      client.device.onEvent = (event) => {
        if (event.type === 'cq-error') resolve(event)
      }
    })
    server.receive(...Array.from({ length: 32 }, () => ({})))
    // Far more than what a device may round the queue up to.
    client.send(...Array.from({ length: 32 }, () => ({ ...empty, flags: SendFlag.signalled })))
    const event = await overrun
    client.device.onEvent = undefined
    assert.equal(event.name, 'IBV_EVENT_CQ_ERR')
    assert.equal(event.completionQueue, queue)
    assert.throws(
      () => {
        for (let poll = 0; poll < 100; poll++) queue.poll()
      },
      { code: 'ERR_NETTS_VERBS' },
    )
    // Its channel says so as well.
    assert.throws(() => client.channel.poll(), { code: 'ERR_NETTS_VERBS' })
    assert.throws(() => client.channel.arm(), { code: 'ERR_NETTS_VERBS' })
    close()
  })
}
