/** The responding half of a simulated queue pair: it carries out the peer's requests in order, and responds. */
import {
  AccessFlag,
  CompletionFlag,
  CompletionOpcode,
  CompletionStatus,
  SendFlag,
  SendOpcode,
} from '../verbs/layout.js'
import { Step } from './scheduler.js'
import { carriesImmediate, type SendRequest, takesReceive } from './send-request.js'
import type { ReceiveRequest } from './shared-receive-queue.js'
import type { Flight, QueuePairEnd, RequestPacket, RespondingHalf } from './wire.js'

interface Sample {
  readonly flight: Flight
  readonly memory: Uint8Array
}

export class Responder implements RespondingHalf {
  readonly #queuePair: QueuePairEnd
  readonly #inbound: RequestPacket[] = []
  readonly #samples: Sample[] = []
  readonly #deliver: Step
  readonly #sample: Step
  readonly #end: Step
  #notReady = false
  #streamEnded = false
  /** Whether anything has arrived. */
  heard = false

  constructor(queuePair: QueuePairEnd) {
    this.#queuePair = queuePair
    const { scheduler } = queuePair.host.fabric
    this.#deliver = new Step(scheduler, 'device', `${queuePair.label}: deliver`, () => this.#deliverNext())
    this.#sample = new Step(scheduler, 'device', `${queuePair.label}: read`, () => this.#answerRead())
    this.#end = new Step(scheduler, 'device', `${queuePair.label}: end of stream`, () => {
      queuePair.requester.cutOff()
      queuePair.fail()
    })
  }

  /** A packet arrives. A queue pair that is in the error state or closed ignores it. */
  receive(packet: RequestPacket): void {
    if (this.#queuePair.state === 'error' || this.#queuePair.closed) return
    this.#inbound.push(packet)
    this.refresh()
  }

  /** The peer repeats a request for which there was no receive. */
  tryAgain(): void {
    this.#notReady = false
    this.refresh()
  }

  /** The process is killed: its memory may be freed before its queue pair, and what arrives then is refused. */
  loseMemory(): void {
    const [packet] = this.#inbound
    if (packet && this.#queuePair.host.fabric.random.chance(0.5)) {
      this.#refuse(packet.flight, CompletionStatus.remoteOperationError)
    }
  }

  /** iWARP: the peer's TCP connection has ended, after everything that it sent. */
  endStream(): void {
    this.#streamEnded = true
    this.#queuePair.refresh()
  }

  refresh(): void {
    const up = this.#queuePair.state === 'ready-to-send' && this.#queuePair.linked
    this.#deliver.enabled = up && this.#inbound.length > 0 && !this.#notReady
    this.#sample.enabled = up && this.#samples.length > 0
    this.#end.enabled = up && this.#streamEnded && this.#inbound.length === 0
  }

  stop(): void {
    this.#deliver.enabled = false
    this.#sample.enabled = false
    this.#end.enabled = false
    this.#inbound.length = 0
    this.#samples.length = 0
  }

  #answer(flight: Flight, status: number, data?: Uint8Array): void {
    this.#queuePair.peer?.requester.receive({ flight, status, receiverNotReady: false, data })
  }

  /** Refuses a request: the peer gets the reason, and the connection ends for both. */
  #refuse(flight: Flight, status: number): void {
    const queuePair = this.#queuePair
    if (!queuePair.device.acknowledges) {
      queuePair.fail()
      return
    }
    this.#answer(flight, status)
    const access = status === CompletionStatus.remoteAccessError
    queuePair.fail()
    queuePair.device.raise({
      type: access ? 'qp-access-error' : 'qp-request-error',
      name: access ? 'IBV_EVENT_QP_ACCESS_ERR' : 'IBV_EVENT_QP_REQ_ERR',
      queuePair,
    })
  }

  #deliverNext(): void {
    const packet = this.#inbound[0] as RequestPacket
    const { flight, data } = packet
    const { request } = flight
    this.#hear()
    if (takesReceive(request) && !this.#queuePair.hasReceive) {
      this.#missReceive(flight)
    } else if (request.opcode === SendOpcode.read) {
      this.#inbound.shift()
      this.#startRead(flight)
    } else if (request.opcode === SendOpcode.compareAndSwap || request.opcode === SendOpcode.fetchAndAdd) {
      this.#inbound.shift()
      this.#runAtomic(flight)
    } else {
      const writes = request.opcode === SendOpcode.write || request.opcode === SendOpcode.writeWithImmediate
      if (writes && !this.#write(packet)) return
      this.#inbound.shift()
      if (!takesReceive(request) || this.#takeReceive(flight, writes ? undefined : data)) {
        this.#answer(flight, CompletionStatus.success)
      }
    }
    this.#queuePair.refresh()
  }

  #hear(): void {
    if (this.heard) return
    this.heard = true
    this.#queuePair.onFirstMessage?.()
  }

  #missReceive(flight: Flight): void {
    const queuePair = this.#queuePair
    queuePair.device.counters.receiverNotReady++
    if (!queuePair.device.capabilities.receiverNotReady) {
      queuePair.fail()
      return
    }
    this.#notReady = true
    queuePair.peer?.requester.receive({ flight, status: 0, receiverNotReady: true, data: undefined })
    this.refresh()
  }

  /** @returns whether the Write is complete */
  #write(packet: RequestPacket): boolean {
    const { flight, data } = packet
    const { request } = flight
    if (data.byteLength === 0) return true
    const { host } = this.#queuePair
    const memory = host.memory.reach(
      this.#queuePair,
      request.remoteKey,
      request.remoteAddress,
      data.byteLength,
      AccessFlag.remoteWrite,
    )
    if (!memory) {
      this.#inbound.shift()
      this.#refuse(flight, CompletionStatus.remoteAccessError)
      return false
    }
    const left = data.byteLength - packet.written
    const { random } = host.fabric
    const bytes = left > 1 && random.chance(0.3) ? 1 + random.below(left - 1) : left
    memory.set(data.subarray(packet.written, packet.written + bytes), packet.written)
    packet.written += bytes
    return packet.written === data.byteLength
  }

  /** Puts a message into the next receive. @returns whether that worked */
  #takeReceive(flight: Flight, data: Uint8Array | undefined): boolean {
    const queuePair = this.#queuePair
    const { request } = flight
    const invalidates = request.opcode === SendOpcode.sendWithInvalidate
    if (invalidates && !queuePair.host.memory.invalidate(queuePair, request.immediate)) {
      this.#refuse(flight, CompletionStatus.remoteAccessError)
      return false
    }
    const receive = queuePair.takeReceive() as ReceiveRequest
    const status = data ? this.#scatter(receive, data) : CompletionStatus.success
    this.#completeReceive(receive, request, status)
    if (status === CompletionStatus.success) return true
    this.#refuse(
      flight,
      status === CompletionStatus.localLengthError
        ? CompletionStatus.remoteInvalidRequestError
        : CompletionStatus.remoteOperationError,
    )
    return false
  }

  #scatter(receive: ReceiveRequest, data: Uint8Array): number {
    const { host, protectionDomain } = this.#queuePair
    const room = receive.entries.reduce((sum, entry) => sum + entry.byteLength, 0)
    if (data.byteLength > room) return CompletionStatus.localLengthError
    let at = 0
    for (const { regionId, byteOffset, byteLength } of receive.entries) {
      if (at === data.byteLength) break
      const region = host.memory.region(regionId)
      if (region?.protectionDomain !== protectionDomain || !(region.access & AccessFlag.localWrite)) {
        return CompletionStatus.localProtectionError
      }
      region.bytes.set(data.subarray(at, at + byteLength), byteOffset)
      at = Math.min(data.byteLength, at + byteLength)
    }
    return CompletionStatus.success
  }

  #completeReceive(receive: ReceiveRequest, request: SendRequest, status: number): void {
    const write = request.opcode === SendOpcode.writeWithImmediate
    const immediate = carriesImmediate(request)
    const invalidates = request.opcode === SendOpcode.sendWithInvalidate
    this.#queuePair.completeReceive(receive, {
      status,
      opcode: write ? CompletionOpcode.receiveWriteWithImmediate : CompletionOpcode.receive,
      flags: immediate ? CompletionFlag.withImmediate : invalidates ? CompletionFlag.withInvalidate : 0,
      byteLength: request.byteLength,
      immediate: immediate || invalidates ? request.immediate : 0,
      solicited: (request.flags & SendFlag.solicited) !== 0,
    })
  }

  #startRead(flight: Flight): void {
    const { request } = flight
    const queuePair = this.#queuePair
    if (this.#samples.length >= queuePair.responderResources) {
      this.#refuse(flight, CompletionStatus.remoteInvalidRequestError)
      return
    }
    const memory =
      request.byteLength === 0
        ? new Uint8Array(0)
        : queuePair.host.memory.reach(
            queuePair,
            request.remoteKey,
            request.remoteAddress,
            request.byteLength,
            AccessFlag.remoteRead,
          )
    if (memory) this.#samples.push({ flight, memory })
    else this.#refuse(flight, CompletionStatus.remoteAccessError)
  }

  /** The bytes are read some time after the request arrived: they may contain later Writes, unless those are fenced. */
  #answerRead(): void {
    const { flight, memory } = this.#samples.shift() as Sample
    this.#answer(flight, CompletionStatus.success, memory.slice())
    this.#queuePair.refresh()
  }

  #runAtomic(flight: Flight): void {
    const { request } = flight
    const queuePair = this.#queuePair
    if (request.remoteAddress % 8n !== 0n) {
      this.#refuse(flight, CompletionStatus.remoteInvalidRequestError)
      return
    }
    const memory = queuePair.host.memory.reach(
      queuePair,
      request.remoteKey,
      request.remoteAddress,
      8,
      AccessFlag.remoteAtomic,
    )
    if (!memory) {
      this.#refuse(flight, CompletionStatus.remoteAccessError)
      return
    }
    const value = new BigUint64Array(memory.buffer, memory.byteOffset, 1)
    const before = value.slice()
    const old = before[0] as bigint
    if (request.opcode === SendOpcode.fetchAndAdd) value[0] = BigInt.asUintN(64, old + request.compareOrAdd)
    else if (old === request.compareOrAdd) value[0] = request.swap
    this.#answer(flight, CompletionStatus.success, new Uint8Array(before.buffer))
  }
}
