/** A booted guest: runs commands in it through the agent, and acts on the machine as a whole. */

import { constants } from 'node:os'
import { basename } from 'node:path'
import { bundle } from '../bundle.js'
import { type Command, type CommandController, type CommandOptions, createCommand } from '../command.js'
import { parseDevices } from '../devices.js'
import {
  createFrameDecoder,
  decodeExit,
  decodeReady,
  encodeFrame,
  encodeStart,
  type Frame,
  FrameKind,
} from '../frames.js'
import { commandEnvironment, type Host } from '../host.js'
import { LabError } from '../progress.js'
import type { Machine } from './qemu.js'

export interface Guest extends Host {
  /** Cuts the power at once: nobody in the guest, and nobody on the network, is told. */
  powerCut(): Promise<void>
  /** Flushes what was written and powers off; after 10 s the power is cut. */
  powerOff(): Promise<void>
  /** Stops the whole machine, its kernel included, where it is. */
  pause(): Promise<void>
  /** Lets a paused machine go on. */
  resume(): Promise<void>
}

export interface GuestOptions {
  name: string
  bootTimeoutMs: number
  /** Mounted in the guest at its own path before any command starts. */
  writableFolder: string | undefined
}

/** Waits for the agent in a started machine. Rejects, with the console's last lines, when it never comes. */
export async function connectGuest(machine: Machine, options: GuestOptions): Promise<Guest> {
  const { name, writableFolder } = options
  const running = new Map<number, CommandController>()
  let lastCommand = 0
  let ended: LabError | undefined
  let cut = false
  let ready!: (payload: Buffer) => void
  const becameReady = new Promise<Buffer>((resolve) => {
    ready = resolve
  })

  const handle = async ({ kind, command, payload }: Frame): Promise<void> => {
    const controller = running.get(command)
    if (kind === FrameKind.ready) ready(payload)
    else if (kind === FrameKind.stdout) await controller?.stdout(payload)
    else if (kind === FrameKind.stderr) await controller?.stderr(payload)
    else if (kind === FrameKind.exit) {
      running.delete(command)
      const { how, value } = decodeExit(payload)
      if (how === 'problem') controller?.refused(value)
      else if (how === 'signal') controller?.exited(null, signalName(Number(value)))
      else controller?.exited(Number(value), null)
    }
  }
  const read = async () => {
    const decode = createFrameDecoder()
    try {
      for await (const chunk of machine.agent)
        for (const frame of decode(chunk as Buffer)) await handle(frame)
    } catch {
      // the channel broke with the machine
    }
    const how = await machine.exited
    const tail = cut ? '' : `. Its console's last lines:\n${machine.consoleTail().trim().slice(-6_000)}`
    ended = new LabError(`${name} ended: ${how}${tail}`)
    for (const controller of running.values()) controller.lost(ended)
    running.clear()
  }
  const over = read()

  const { devices: lines, problem } = decodeReady(await boot())
  if (problem !== '') {
    await machine.powerCut()
    throw new LabError(
      `${name}: setting up the RDMA devices failed:\n${problem.trim()}\nIts console:\n${machine.consoleTail().trim()}`,
    )
  }
  const devices = parseDevices(lines)

  const start = (argv: readonly string[], commandOptions: CommandOptions = {}): Command => {
    if (ended) throw ended
    const number = ++lastCommand
    const send = (frame: Buffer) => machine.agent.write(frame)
    const controller = createCommand(
      argv.join(' '),
      {
        input: (bytes) => send(encodeFrame(FrameKind.input, number, bytes)),
        signal: (signal) =>
          send(encodeFrame(FrameKind.signal, number, Uint8Array.of(constants.signals[signal]))),
      },
      commandOptions,
    )
    running.set(number, controller)
    const env = commandEnvironment('guest', devices, writableFolder, commandOptions.env)
    const cwd = commandOptions.cwd ?? process.cwd()
    send(encodeFrame(FrameKind.start, number, encodeStart(argv, cwd, env)))
    if (commandOptions.input !== undefined) controller.command.write(commandOptions.input)
    if (!commandOptions.interactive) controller.command.end()
    return controller.command
  }
  const run: Host['run'] = async (argv, commandOptions) => await start(argv, commandOptions).result

  if (writableFolder !== undefined) {
    const mount =
      'mkdir -p "$1" && mount -t 9p -o trans=virtio,version=9p2000.L,msize=1048576,cache=mmap results "$1"'
    const { status, stderr } = await run(['sh', '-c', mount, 'sh', writableFolder], { cwd: '/' })
    if (status !== 0) throw new LabError(`${name}: cannot mount ${writableFolder}: ${stderr.trim()}`)
  }

  const powerCut = async () => {
    cut = true
    await machine.powerCut()
    await over
  }
  const install: Host['install'] = async (entry) => {
    const folder = '/run/netts-lab/programs'
    const path = `${folder}/${basename(entry).replace(/\.[mc]?ts$/, '')}.mjs`
    const put = ['sh', '-c', 'mkdir -p "$1" && cat > "$2"', 'sh', folder, path]
    const { status, stderr } = await run(put, { input: await bundle(entry) })
    if (status !== 0) throw new LabError(`${name}: cannot write ${path}: ${stderr.trim()}`)
    return path
  }
  return {
    devices,
    get isUp() {
      return ended === undefined
    },
    start,
    run,
    install,
    powerCut,
    async powerOff() {
      machine.agent.write(encodeFrame(FrameKind.powerOff, 0, Buffer.alloc(0)))
      const timer = setTimeout(() => void powerCut(), 10_000)
      await over
      clearTimeout(timer)
    },
    async pause() {
      await machine.monitor.execute('stop')
    },
    async resume() {
      await machine.monitor.execute('cont')
    },
  }

  async function boot(): Promise<Buffer> {
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, options.bootTimeoutMs, `no sign of life within ${options.bootTimeoutMs} ms`)
    })
    const first = await Promise.race([becameReady, machine.exited, tooLate])
    clearTimeout(timer)
    if (typeof first !== 'string') return first
    await machine.powerCut()
    const tail = machine.consoleTail().trim() || '(nothing)'
    throw new LabError(`${name} did not boot: ${first}. Its console's last lines:\n${tail}`)
  }
}

function signalName(number: number): NodeJS.Signals {
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? ['SIGKILL']
  return name as NodeJS.Signals
}
