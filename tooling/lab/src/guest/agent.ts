/**
 * The agent inside a guest: starts the host's commands, each in a process group of its own, and carries
 * their input, output, signals and exit over the virtio-serial port named on its command line.
 *
 * It is bundled into the initramfs and runs on the host's own Node.js, so it imports nothing but Node.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import {
  createFrameDecoder,
  type ExitPayload,
  encodeFrame,
  encodeJsonFrame,
  type Frame,
  FrameKind,
  type SignalPayload,
  type StartPayload,
} from '../frames.js'

/** How long output may still come from a background process that outlives the command. */
const LINGER_MS = 1_000
/** How much output may wait for the host before commands are held back. */
const MAX_QUEUED_BYTES = 1_048_576

const commands = new Map<number, ChildProcess>()
let port: FileHandle
let queue: Buffer[] = []
let queuedByteLength = 0
let writing: Promise<void> | undefined

/** Queues one frame. Resolves when there is room for more, which is the backpressure of commands' output. */
async function send(frame: Buffer): Promise<void> {
  queue.push(frame)
  queuedByteLength += frame.byteLength
  writing ??= writeAll()
  if (queuedByteLength > MAX_QUEUED_BYTES) await writing
}

/** Writes the queue until it is empty: what came meanwhile goes out together. */
async function writeAll(): Promise<void> {
  while (queue.length > 0) {
    const bytes = Buffer.concat(queue)
    queue = []
    queuedByteLength = 0
    for (let offset = 0; offset < bytes.byteLength; ) {
      offset += (await port.write(bytes, offset)).bytesWritten
    }
  }
  writing = undefined
}

function start(number: number, { argv, cwd, env }: StartPayload): void {
  const child = spawn(argv[0] ?? '', argv.slice(1), { cwd, env, detached: true, stdio: 'pipe' })
  commands.set(number, child)
  child.stdin.on('error', () => {}) // a command need not read its input
  const outputs = Promise.all([
    forward(number, FrameKind.stdout, child.stdout),
    forward(number, FrameKind.stderr, child.stderr),
  ])
  const end = async (exit: ExitPayload) => {
    const linger = delay(LINGER_MS)
    await Promise.race([outputs, linger])
    commands.delete(number)
    await send(encodeJsonFrame(FrameKind.exit, number, exit))
  }
  child.once('error', (error) => {
    if (child.pid === undefined) void end({ status: null, signal: null, problem: error.message })
  })
  child.once('exit', (status, signal) => void end({ status, signal }))
}

async function forward(number: number, kind: number, output: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const chunk of output) await send(encodeFrame(kind, number, chunk))
  } catch {
    // the pipe broke with its process; its exit is reported
  }
}

function handle({ kind, command, payload }: Frame): void {
  const child = commands.get(command)
  switch (kind) {
    case FrameKind.start:
      start(command, JSON.parse(payload.toString()) as StartPayload)
      break
    case FrameKind.input:
      if (payload.byteLength > 0) child?.stdin?.write(payload)
      else child?.stdin?.end()
      break
    case FrameKind.signal:
      try {
        if (child?.pid !== undefined) {
          process.kill(-child.pid, (JSON.parse(payload.toString()) as SignalPayload).signal)
        }
      } catch {
        // it ended meanwhile
      }
      break
    case FrameKind.powerOff:
      process.exit(0) // the start script goes on to power the guest off
  }
}

const [portPath, devicesPath] = process.argv.slice(2)
if (portPath === undefined || devicesPath === undefined) throw new Error('usage: agent PORT DEVICES')
port = await open(portPath, 'r+')
const [devices, problem] = await Promise.all([
  readFile(devicesPath, 'utf8'),
  readFile(`${devicesPath}.problem`, 'utf8'),
])
void send(encodeJsonFrame(FrameKind.ready, 0, { devices, problem }))
const decode = createFrameDecoder()
const chunk = Buffer.allocUnsafe(65_536)
for (;;) {
  const { bytesRead } = await port.read(chunk, 0, chunk.byteLength, null)
  if (bytesRead === 0)
    await delay(20) // the host's side is not open yet
  else for (const frame of decode(Buffer.from(chunk.subarray(0, bytesRead)))) handle(frame)
}
