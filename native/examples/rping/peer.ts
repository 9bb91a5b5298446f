/**
 * One end of rping, the ping-pong of rdma-core, as both programs beside this file need it: the memory, the queue
 * pair, and the messages.
 *
 * A message is 16 bytes: an address (64 bits), a key and a length (32 bits each), in network byte order. The client
 * says where its data lies; the server reads it and answers; the client says where it wants the data; the server
 * writes it there and answers. Answers have the same 16 bytes, and their content means nothing.
 */
import {
  AccessFlag,
  type CmEvent,
  type CmId,
  CompletionOpcode,
  CompletionStatus,
  completionError,
  readCompletion,
  SendFlag,
  SendOpcode,
  type SendWorkRequest,
  writeReceive,
  writeSend,
} from '@netts/verbs'

const MESSAGE_BYTES = 16
/** Where things lie in the region: the message to send, the one received, the data, and what comes back. */
const OUTGOING = 0
const INCOMING = 64
const DATA = 4096

/** Memory of the other end. */
export interface RemoteMemory {
  readonly address: bigint
  readonly key: number
  readonly byteLength: number
}

/** An end, before or after it is connected. */
export interface Peer {
  /** Two areas of `size` bytes: the ping, and the pong. */
  readonly ping: Uint8Array
  readonly pong: Uint8Array
  /** Says where the ping or the pong is; as an answer, says nothing. */
  tell(what: 'ping' | 'pong' | 'answer'): Promise<void>
  /** The other end's next message. `undefined` when it disconnected. */
  heard(): Promise<RemoteMemory | undefined>
  /** Reads the other's memory into the ping, or writes the ping there. */
  transfer(opcode: typeof SendOpcode.read | typeof SendOpcode.write, memory: RemoteMemory): Promise<void>
}

/** The next event of an id. */
export function nextEvent(id: CmId): Promise<CmEvent> {
  id.ref()
  return new Promise((resolve) => {
    id.onEvent = (event) => {
      id.onEvent = undefined
      resolve(event)
    }
  })
}

/** The next event of an id, which has to be of this type. */
export async function expectEvent<T extends CmEvent['type']>(id: CmId, type: T) {
  const event = await nextEvent(id)
  if (event.type !== type) throw new Error(`${event.type} instead of ${type}`)
  return event as Extract<CmEvent, { type: T }>
}

/** Makes what an end needs on an id whose device is known, with the first receive posted. */
export function createPeer(id: CmId, size: number): Peer {
  const device = id.device
  if (device === undefined) throw new Error('the id has no device yet')
  const protectionDomain = device.allocateProtectionDomain()
  const region = protectionDomain.registerRegion({
    byteLength: DATA + 2 * size,
    access: AccessFlag.localWrite | AccessFlag.remoteRead | AccessFlag.remoteWrite,
  })
  const channel = device.createCompletionChannel()
  channel.ref()
  const queue = channel.createCompletionQueue({ maxCompletions: 16 })
  const queuePair = id.createQueuePair({
    protectionDomain,
    sendCompletionQueue: queue,
    maxSendWorkRequests: 4,
    maxReceiveWorkRequests: 2,
  })
  const view = new DataView(region.bytes.buffer)
  const arrived: RemoteMemory[] = []
  let sent = 0
  let ended = false

  function postReceive(): void {
    writeReceive(queuePair, 0, { entries: [{ region, byteOffset: INCOMING, byteLength: MESSAGE_BYTES }] })
    queuePair.postReceive(1)
  }

  function take(): void {
    const count = queue.poll()
    for (let index = 0; index < count; index++) {
      const { status, opcode, vendorError, byteLength } = readCompletion(queue, index)
      if (status === CompletionStatus.flushed) ended = true
      else if (status !== CompletionStatus.success) throw completionError('rping', status, vendorError)
      else if (opcode !== CompletionOpcode.receive) sent++
      else {
        if (byteLength !== MESSAGE_BYTES) throw new Error(`a message of ${byteLength} bytes`)
        arrived.push({
          address: view.getBigUint64(INCOMING),
          key: view.getUint32(INCOMING + 8),
          byteLength: view.getUint32(INCOMING + 12),
        })
        postReceive()
      }
    }
  }

  /** Polls, arms, polls once more, and only then sleeps; until `done`. */
  async function until(done: () => boolean): Promise<void> {
    for (;;) {
      take()
      if (done() || ended) return
      queue.arm()
      take()
      if (done() || ended) return
      await new Promise<void>((resolve) => {
        queue.onNotify = resolve
      })
    }
  }

  async function send(request: SendWorkRequest): Promise<void> {
    const target = sent + 1
    writeSend(queuePair, 0, { ...request, flags: SendFlag.signalled })
    queuePair.postSend(1)
    await until(() => sent >= target)
  }

  postReceive()
  return {
    ping: region.bytes.subarray(DATA, DATA + size),
    pong: region.bytes.subarray(DATA + size, DATA + 2 * size),
    async tell(what) {
      const place = what === 'pong' ? DATA + size : DATA
      view.setBigUint64(OUTGOING, region.remoteAddress + BigInt(place))
      view.setUint32(OUTGOING + 8, region.remoteKey)
      view.setUint32(OUTGOING + 12, size)
      await send({
        opcode: SendOpcode.send,
        entries: [{ region, byteOffset: OUTGOING, byteLength: MESSAGE_BYTES }],
      })
    },
    async heard() {
      await until(() => arrived.length > 0)
      return arrived.shift()
    },
    async transfer(opcode, { address, key, byteLength }) {
      if (byteLength > size) throw new Error(`${byteLength} bytes, of ${size}`)
      await send({
        opcode,
        entries: [{ region, byteOffset: DATA, byteLength }],
        remoteAddress: address,
        remoteKey: key,
      })
    },
  }
}
