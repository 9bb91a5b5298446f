/**
 * What posting and polling cost through the addon, over the loopback device, whose own share a C program measures
 * (`reference/cost.cc` of `@netts/loopback`, which does the same). Both ends are in this process, and the wire takes
 * no time. Runs in a process of its own, takes the batch size, and prints nanoseconds as JSON.
 */
import {
  AccessFlag,
  type CmEvent,
  type CmId,
  COMPLETION,
  type CompletionQueue,
  type Device,
  ENTRY,
  openVerbs,
  type ProtectionDomain,
  SEND,
  SendFlag,
  SendOpcode,
  writeSend,
} from '@netts/verbs'

const WARMUP_MS = 200
const MEASURE_MS = 300
const PAYLOAD_BYTES = 64
/** Work requests between two looks at the clock: as in the C program. */
const REQUESTS = 512
const REGION_BYTES = 1 << 20

const batch = Number(process.argv[2])
const verbs = openVerbs()

/** Waits for the events of an id, one after the other. */
function follow(id: CmId): (type: CmEvent['type']) => Promise<CmEvent> {
  const events: CmEvent[] = []
  id.onEvent = (event) => events.push(event)
  id.ref()
  return async (type) => {
    while (events.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    const event = events.shift()!
    if (event.type !== type) throw new Error(`${event.type} instead of ${type}`)
    return event
  }
}

function makePair(id: CmId) {
  const device: Device | undefined = id.device
  if (!device) throw new Error('there is no device')
  const domain: ProtectionDomain = device.allocateProtectionDomain()
  const access = AccessFlag.localWrite | AccessFlag.remoteWrite
  const region = domain.registerRegion({ byteLength: REGION_BYTES, access })
  const channel = device.createCompletionChannel()
  const queue: CompletionQueue = channel.createCompletionQueue({ maxCompletions: 4096, batch })
  const pair = id.createQueuePair({
    protectionDomain: domain,
    sendCompletionQueue: queue,
    maxSendWorkRequests: 1024,
    maxReceiveWorkRequests: 1,
  })
  return { region, queue, pair }
}

const listener = verbs.createCmId()
const nextRequest = follow(listener)
listener.bindAddress({ host: '127.0.0.1', port: 0 })
listener.listen(1)
const id = verbs.createCmId()
const next = follow(id)
id.resolveAddress({ destination: { host: '127.0.0.1', port: listener.localAddress!.port }, timeoutMs: 1000 })
await next('address-resolved')
id.resolveRoute(1000)
await next('route-resolved')
const { region, queue, pair } = makePair(id)
id.connect()
const request = await nextRequest('connect-request')
if (request.type !== 'connect-request') throw new Error('there was no request')
const nextOfPeer = follow(request.id)
const peer = makePair(request.id)
request.id.accept()
await next('established')
await nextOfPeer('established')

for (let i = 0; i < batch; i++) {
  writeSend(pair, i, {
    id: BigInt(i),
    opcode: SendOpcode.write,
    flags: SendFlag.signalled,
    entries: [{ region, byteLength: PAYLOAD_BYTES }],
    remoteAddress: peer.region.remoteAddress,
    remoteKey: peer.region.remoteKey,
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
  const callsAtOnce = Math.floor(REQUESTS / batch)
  while (postMs + pollMs < forMs) {
    const start = processorMs()
    for (let i = 0; i < callsAtOnce; i++) posting()
    const posted = processorMs()
    // The first one has the other end do its part, and finds nothing yet.
    if (queue.poll() !== 0) throw new Error('completions came too early')
    const answered = processorMs()
    for (let i = 0; i < callsAtOnce; i++) polling()
    postMs += posted - start
    pollMs += processorMs() - answered
    calls += callsAtOnce
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
