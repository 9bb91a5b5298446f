/** The READY messages of a handshake: a queue pair's first receive and first Send, and their memory. */
import { type BufferSlot, takeSlot } from '@netts/core/driver'
import { SendFlag, SendOpcode } from '../verbs/layout.js'
import type { QueuePair } from '../verbs/queue-pair.js'
import { writeReceive, writeSend } from '../verbs/records.js'
import type { DeviceEnvironment } from './device-environment.js'
import { decodeReady, encodeReady, READY_BYTES } from './hello.js'
import { InternalKind, workRequestIdLow } from './work-request-id.js'

/** The two READY messages of one connection. */
export class ReadyExchange {
  readonly #environment: DeviceEnvironment
  readonly #in: BufferSlot
  readonly #out: BufferSlot

  /** @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when there is no memory */
  constructor(environment: DeviceEnvironment) {
    this.#environment = environment
    const { controlSlots } = environment
    this.#in = takeSlot(controlSlots.alloc(READY_BYTES))
    try {
      this.#out = takeSlot(controlSlots.alloc(READY_BYTES))
    } catch (error) {
      this.#in.free()
      throw error
    }
  }

  /** Posts the receive for the peer's READY: before any other receive, because READY comes first. */
  expect(queuePair: QueuePair): void {
    writeReceive(queuePair, 0, {
      id: BigInt(workRequestIdLow(InternalKind.readyReceive, 0)),
      entries: [this.#range(this.#in, READY_BYTES)],
    })
    queuePair.postReceive(1)
  }

  /** Sends READY, as send record `at`. @param body the driver's part */
  say(queuePair: QueuePair, at: number, body: Uint8Array): void {
    const { slab, byteOffset } = this.#out
    const byteLength = encodeReady(slab.subarray(byteOffset, byteOffset + READY_BYTES), body)
    writeSend(queuePair, at, {
      id: BigInt(workRequestIdLow(InternalKind.readySend, 0)),
      opcode: SendOpcode.send,
      flags: SendFlag.signalled,
      entries: [this.#range(this.#out, byteLength)],
    })
    queuePair.postSend(1, at)
  }

  /** Decodes the peer's READY. @returns the driver's part, a copy @throws NettsError `ERR_NETTS_PROTOCOL` */
  heard(byteLength: number): Uint8Array {
    const { slab, byteOffset } = this.#in
    return decodeReady(slab.subarray(byteOffset, byteOffset + byteLength))
  }

  /** Gives the memory back. The queue pair is closed. */
  free(): void {
    this.#in.free()
    this.#out.free()
  }

  #range({ slab, byteOffset }: BufferSlot, byteLength: number) {
    return { region: this.#environment.regionOf(slab), byteOffset, byteLength }
  }
}
