/** One host writes into the memory of another, over verbs, on a simulated device: node --import tsx, no hardware. */
import {
  AccessFlag,
  type CmEvent,
  type CmId,
  type CompletionQueue,
  type Device,
  SendFlag,
  SendOpcode,
  writeSend,
} from '@netts/verbs'
import { createSimulatedFabric, type SimulatedHost } from '@netts/verbs/simulated'

/** The next event of an id. */
const event = (id: CmId): Promise<CmEvent> =>
  new Promise((resolve) => {
    id.onEvent = (event) => {
      id.onEvent = undefined
      resolve(event)
    }
  })

/** Waits for one completion: poll, arm, poll once more, and only then sleep. */
async function completion(queue: CompletionQueue): Promise<void> {
  if (queue.poll() > 0) return
  queue.arm()
  if (queue.poll() > 0) return
  await new Promise<void>((resolve) => {
    queue.onNotify = resolve
  })
  return completion(queue)
}

/** Memory, a completion queue, and a queue pair on the id's device. */
function prepare(id: CmId) {
  const protectionDomain = (id.device as Device).allocateProtectionDomain()
  const access = AccessFlag.localWrite | AccessFlag.remoteWrite
  const region = protectionDomain.registerRegion({ byteLength: 4096, access })
  const queue = (id.device as Device).createCompletionChannel().createCompletionQueue({ maxCompletions: 16 })
  const queuePair = id.createQueuePair({
    protectionDomain,
    sendCompletionQueue: queue,
    maxSendWorkRequests: 4,
  })
  return { region, queue, queuePair }
}

async function write(client: SimulatedHost, server: SimulatedHost): Promise<string> {
  const listener = server.createCmId()
  listener.bindAddress({ host: server.address, port: 7471 })
  listener.listen(16)

  const id = client.createCmId()
  id.resolveAddress({ destination: { host: server.address, port: 7471 }, timeoutMs: 1000 })
  await event(id)
  id.resolveRoute(1000)
  await event(id)
  const near = prepare(id)
  id.connect()

  const request = await event(listener)
  if (request.type !== 'connect-request') throw new Error(request.type)
  const far = prepare(request.id)
  // The server tells its address and key in the reply.
  const privateData = new Uint8Array(12)
  new DataView(privateData.buffer).setBigUint64(0, far.region.remoteAddress)
  new DataView(privateData.buffer).setUint32(8, far.region.remoteKey)
  request.id.accept({ privateData })

  const established = await event(id)
  if (established.type !== 'established') throw new Error(established.type)
  const reply = new DataView(established.privateData.buffer)
  const { written } = new TextEncoder().encodeInto('hello, memory', near.region.bytes)
  writeSend(near.queuePair, 0, {
    opcode: SendOpcode.write,
    flags: SendFlag.signalled,
    entries: [{ region: near.region, byteLength: written }],
    remoteAddress: reply.getBigUint64(0),
    remoteKey: reply.getUint32(8),
  })
  near.queuePair.postSend(1)
  await completion(near.queue)
  return new TextDecoder().decode(far.region.bytes.subarray(0, written))
}

const fabric = createSimulatedFabric({ mode: 'roce', seed: 1 })
const client = fabric.createHost({ name: 'client' })
const server = fabric.createHost({ name: 'server' })
console.log(await fabric.settle(write(client, server)))
client.close()
server.close()
