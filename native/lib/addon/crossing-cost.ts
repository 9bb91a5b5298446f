/**
 * What it costs to cross into the addon: work requests posted to, and completions polled from, a device that does
 * nothing (`src/noop-device/`), so that nothing else is measured. For the benchmark, and for keeping an eye on it.
 */
import { fileURLToPath } from 'node:url'
import type { CmEvent, CmId } from '../verbs/cm.js'
import { COMPLETION, ENTRY, SEND, SendFlag, SendOpcode } from '../verbs/layout.js'
import { openVerbs } from './open-verbs.js'

/** Nanoseconds each, the median of all rounds. */
export interface CrossingCost {
  readonly batch: number
  /** From the record in the array to the device: checked, translated and handed to `ibv_post_send`. */
  readonly nsPerWorkRequest: number
  /** Writing the record in JavaScript, which a program does once and then changes little. */
  readonly nsPerRecord: number
  /** From `ibv_poll_cq` into the array, and read there. */
  readonly nsPerCompletion: number
}

/** The stand-in for rdma-core, as `pnpm build:native` leaves it. */
export const NOOP_DEVICE = fileURLToPath(new URL('../../src/build/Release/noop_verbs.node', import.meta.url))

function next(id: CmId): Promise<CmEvent> {
  id.ref()
  return new Promise((resolve) => {
    id.onEvent = resolve
  })
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}

/**
 * Measures, in this process, which must not have used RDMA before: the no-op device takes the place of rdma-core
 * for the rest of its life.
 *
 * @param batch work requests a call. @default 32
 * @param rounds batches to measure. @default 20000
 */
export async function measureCrossingCost(batch = 32, rounds = 20_000): Promise<CrossingCost> {
  process.env.NETTS_IBVERBS_LIB = NOOP_DEVICE
  process.env.NETTS_RDMACM_LIB = NOOP_DEVICE
  using verbs = openVerbs()
  const id = verbs.createCmId()
  id.resolveAddress({ destination: { host: '127.0.0.1', port: 1 }, timeoutMs: 1000 })
  await next(id)
  const protectionDomain = id.device!.allocateProtectionDomain()
  const region = protectionDomain.registerRegion({ byteLength: 65_536 })
  const queue = id.device!.createCompletionChannel().createCompletionQueue({ maxCompletions: 256, batch })
  const pair = id.createQueuePair({
    protectionDomain,
    sendCompletionQueue: queue,
    maxSendWorkRequests: batch,
  })
  id.resolveRoute(1000)
  await next(id)
  id.connect()
  await next(id)
  id.unref()

  const { sendRequests: words, sendRecordWords } = pair
  const records: number[] = []
  const posts: number[] = []
  const polls: number[] = []
  let sum = 0
  for (let round = 0; round < rounds; round++) {
    const begin = process.hrtime.bigint()
    for (let index = 0, at = 0; index < batch; index++, at += sendRecordWords) {
      words[at + SEND.opcode] = SendOpcode.send
      words[at + SEND.flags] = SendFlag.signalled
      words[at + SEND.idLow] = index
      words[at + SEND.entryCount] = 1
      words[at + SEND.headerWords + ENTRY.regionId] = region.id
      words[at + SEND.headerWords + ENTRY.byteOffset] = index * 64
      words[at + SEND.headerWords + ENTRY.byteLength] = 64
    }
    const written = process.hrtime.bigint()
    pair.postSend(batch)
    const posted = process.hrtime.bigint()
    const count = queue.poll()
    for (let index = 0, at = 0; index < count; index++, at += COMPLETION.words) sum += queue.completions[at]!
    const polled = process.hrtime.bigint()
    records.push(Number(written - begin) / batch)
    posts.push(Number(posted - written) / batch)
    polls.push(Number(polled - posted) / batch)
  }
  if (sum !== (rounds * batch * (batch - 1)) / 2) throw new Error('completions were lost')
  return {
    batch,
    nsPerWorkRequest: median(posts),
    nsPerRecord: median(records),
    nsPerCompletion: median(polls),
  }
}
