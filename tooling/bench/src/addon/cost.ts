/**
 * What crossing into the addon and back costs, over a device that does nothing (`noop-device/` of `@netts/verbs`). Runs in a process
 * of its own, takes the batch size, and prints nanoseconds as JSON.
 */
import {
  type CmEvent,
  COMPLETION,
  ENTRY,
  openVerbs,
  SEND,
  SendFlag,
  SendOpcode,
  writeSend,
} from '@netts/verbs'

const WARMUP_MS = 200
const MEASURE_MS = 300
const PAYLOAD_BYTES = 64
/** Calls between two looks at the clock. */
const CALLS = 1000

const batch = Number(process.argv[2])
const verbs = openVerbs()
const id = verbs.createCmId()
const events: CmEvent[] = []
id.onEvent = (event) => events.push(event)
id.ref()

async function step(type: CmEvent['type'], act: () => void): Promise<void> {
  act()
  while (events[0]?.type !== type) await new Promise((resolve) => setTimeout(resolve, 1))
  events.shift()
}

await step('address-resolved', () =>
  id.resolveAddress({ destination: { host: '127.0.0.1', port: 1 }, timeoutMs: 1000 }),
)
await step('route-resolved', () => id.resolveRoute(1000))
const { device } = id
if (!device) throw new Error('there is no device')
const domain = device.allocateProtectionDomain()
const region = domain.registerRegion({ byteLength: 1 << 20 })
const channel = device.createCompletionChannel()
const queue = channel.createCompletionQueue({ maxCompletions: 4096, batch })
const pair = id.createQueuePair({
  protectionDomain: domain,
  sendCompletionQueue: queue,
  maxSendWorkRequests: 1024,
})
await step('established', () => id.connect())

for (let i = 0; i < batch; i++) {
  writeSend(pair, i, {
    id: BigInt(i),
    opcode: SendOpcode.send,
    flags: SendFlag.signalled,
    entries: [{ region, byteLength: PAYLOAD_BYTES }],
  })
}

const { sendRequests, sendRecordWords } = pair
const { completions } = queue
let position = 0
let taken = 0

function post(): void {
  if (pair.postSend(batch) !== batch) throw new Error('not everything was posted')
}

function poll(): void {
  if (queue.poll() !== batch) throw new Error('completions are missing')
}

/** As a driver does it: a slot's id, and where its payload lies. */
function writeAndPost(): void {
  for (let i = 0; i < batch; i++) {
    const at = i * sendRecordWords
    const entry = at + SEND.headerWords
    position = (position + PAYLOAD_BYTES) & 0xfffff
    sendRequests[at + SEND.idLow] = position
    sendRequests[at + SEND.idHigh] = i
    sendRequests[at + SEND.flags] = SendFlag.signalled
    sendRequests[at + SEND.entryCount] = 1
    sendRequests[entry + ENTRY.byteOffset] = position & ~0x3f
    sendRequests[entry + ENTRY.byteLength] = PAYLOAD_BYTES
  }
  post()
}

function pollAndRead(): void {
  poll()
  for (let i = 0; i < batch; i++) {
    const at = i * COMPLETION.words
    if (completions[at + COMPLETION.status] !== 0) throw new Error('a completion failed')
    taken =
      (taken +
        (completions[at + COMPLETION.idLow] as number) +
        (completions[at + COMPLETION.byteLength] as number)) |
      0
  }
}

/** Processor time, so that nothing else on the machine counts. */
function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Posts and polls in turn for a while; nanoseconds of each, for one work request and one completion. */
function measure(
  posting: () => void,
  polling: () => void,
  forMs: number,
): { postNs: number; pollNs: number } {
  let postMs = 0
  let pollMs = 0
  let calls = 0
  while (postMs + pollMs < forMs) {
    const start = processorMs()
    for (let i = 0; i < CALLS; i++) posting()
    const middle = processorMs()
    for (let i = 0; i < CALLS; i++) polling()
    postMs += middle - start
    pollMs += processorMs() - middle
    calls += CALLS
  }
  const each = 1e6 / (calls * batch)
  return { postNs: postMs * each, pollNs: pollMs * each }
}

measure(post, poll, WARMUP_MS)
const bare = measure(post, poll, MEASURE_MS)
measure(writeAndPost, pollAndRead, WARMUP_MS)
const whole = measure(writeAndPost, pollAndRead, MEASURE_MS)
process.stdout.write(
  JSON.stringify({
    post: bare.postNs,
    poll: bare.pollNs,
    writeAndPost: whole.postNs,
    pollAndRead: whole.pollNs,
  }),
)
verbs.close()
