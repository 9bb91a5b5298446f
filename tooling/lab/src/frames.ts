/**
 * The frames that the host and the agent in a guest exchange over a virtio-serial port.
 *
 * A frame is: byte length of the payload (u32), kind (u8), command number (u32), payload; big-endian.
 */

/** What a frame says. Its payload is JSON, except for the three kinds that carry a command's bytes. */
export const FrameKind = {
  /** Guest to host: devices are up, commands may start. Payload: {@link ReadyPayload}. */
  ready: 1,
  /** Host to guest: start a command. Payload: {@link StartPayload}. */
  start: 2,
  /** Host to guest: bytes for the command's standard input; an empty payload ends it. */
  input: 3,
  /** Host to guest: send a signal to the command's process group. Payload: {@link SignalPayload}. */
  signal: 4,
  /** Guest to host: bytes of the command's standard output. */
  stdout: 5,
  /** Guest to host: bytes of the command's standard error. */
  stderr: 6,
  /** Guest to host: the command ended, and all of its output was sent before. Payload: {@link ExitPayload}. */
  exit: 7,
  /** Host to guest: flush what the guest wrote and power off. No payload. */
  powerOff: 8,
} as const

export interface ReadyPayload {
  /** Lines of `name type address netdev [peer address]`, as the guest's start script wrote them. */
  devices: string
  /** Why the devices could not be set up; empty when they could. */
  problem: string
}

export interface StartPayload {
  argv: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
}

export interface SignalPayload {
  signal: NodeJS.Signals
}

/** How a command ended: exactly one of `status` and `signal`, or `problem` when it never started. */
export interface ExitPayload {
  status: number | null
  signal: NodeJS.Signals | null
  problem?: string
}

export interface Frame {
  kind: number
  command: number
  payload: Buffer
}

const HEADER_BYTE_LENGTH = 9

export function encodeFrame(kind: number, command: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTE_LENGTH + payload.byteLength)
  frame.writeUInt32BE(payload.byteLength, 0)
  frame.writeUInt8(kind, 4)
  frame.writeUInt32BE(command, 5)
  frame.set(payload, HEADER_BYTE_LENGTH)
  return frame
}

export function encodeJsonFrame(kind: number, command: number, value: unknown): Buffer {
  return encodeFrame(kind, command, Buffer.from(JSON.stringify(value)))
}

/** Splits a byte stream into frames; what is incomplete waits for the next chunk. */
export function createFrameDecoder(): (chunk: Buffer) => Frame[] {
  let pending: Buffer[] = []
  let byteLength = 0
  let needed = HEADER_BYTE_LENGTH
  return (chunk) => {
    pending.push(chunk)
    byteLength += chunk.byteLength
    if (byteLength < needed) return [] // joined only once, however many chunks a frame comes in
    let rest = Buffer.concat(pending)
    const frames: Frame[] = []
    for (;;) {
      needed = HEADER_BYTE_LENGTH
      if (rest.byteLength < needed) break
      needed += rest.readUInt32BE(0)
      if (rest.byteLength < needed) break
      const payload = rest.subarray(HEADER_BYTE_LENGTH, needed)
      frames.push({ kind: rest.readUInt8(4), command: rest.readUInt32BE(5), payload })
      rest = rest.subarray(needed)
    }
    pending = [rest]
    byteLength = rest.byteLength
    return frames
  }
}
