/**
 * The frames that the host and the agent in a guest exchange over a virtio-serial port.
 *
 * A frame is: byte length of the payload (u32), kind (u8), command number (u32), payload; big-endian.
 */

/** What a frame says. */
export const FrameKind = {
  /** Guest to host: commands may start. See {@link decodeReady}. */
  ready: 1,
  /** Host to guest: start a command. See {@link encodeStart}. */
  start: 2,
  /** Host to guest: bytes for the command's standard input; none end it. */
  input: 3,
  /** Host to guest: send the command's process group a signal, whose number is the one byte. */
  signal: 4,
  /** Guest to host: bytes of the command's standard output. */
  stdout: 5,
  /** Guest to host: bytes of the command's standard error. */
  stderr: 6,
  /** Guest to host: the command ended, and all of its output was sent before. See {@link decodeExit}. */
  exit: 7,
  /** Host to guest: flush what was written and power off. */
  powerOff: 8,
} as const

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

/** The number of arguments (u32), then strings that end in NUL: directory, arguments, environment. */
export function encodeStart(
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Buffer {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const strings = Buffer.from([cwd, ...argv, ...variables].map((text) => `${text}\0`).join(''))
  const count = Buffer.alloc(4)
  count.writeUInt32BE(argv.length)
  return Buffer.concat([count, strings])
}

/** `devices`: what `parseDevices` reads. `problem`: why some could not be set up, or empty. */
export function decodeReady(payload: Buffer): { devices: string; problem: string } {
  const [devices = '', problem = ''] = payload.toString().split('\0')
  return { devices, problem }
}

/** How a command ended: with a status, by a signal (its number), or not even started because of a problem. */
export function decodeExit(payload: Buffer): { how: 'status' | 'signal' | 'problem'; value: string } {
  const text = payload.toString()
  const space = text.indexOf(' ')
  return { how: text.slice(0, space) as 'status' | 'signal' | 'problem', value: text.slice(space + 1) }
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
