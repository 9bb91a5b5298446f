/** `npx pnpm lab -- COMMAND…`: runs a command where RDMA works. */

import { mkdir } from 'node:fs/promises'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { InvalidArgumentError, Option, Command as Program } from 'commander'
import { whenAbandoned } from './abandoned.js'
import type { Command, CommandOptions, CommandResult } from './command.js'
import type { Host } from './host.js'
import { type LabOptions, openGuest, openLab, openPair, type SoftDeviceType } from './lab.js'
import { createLineMarker, writeThrough } from './output.js'
import { LabError, reportOnStderr } from './progress.js'

interface Options {
  device?: SoftDeviceType
  hosts: '1' | '2'
  shell?: boolean
  guest?: boolean
  results?: string
  timeout: number
  bootTimeout: number
  cpus?: number
  memory?: number
  quiet?: boolean
}

/** The exit status when the lab itself failed, as container tools have it. */
const LAB_FAILED = 125
/** How long commands may take to end after a first Ctrl-C. */
const GRACE_MS = 5_000

const number = (text: string) => {
  const value = Number(text)
  if (!(value >= 0)) throw new InvalidArgumentError('Not a number.')
  return value
}
const program = new Program('npx pnpm lab --')
  .description('Runs a command, in the current directory, where RDMA works: on this machine or in a guest.')
  .usage(
    '[options] [--] COMMAND…\n       npx pnpm lab -- --hosts 2 -- COMMAND-ON-HOST-1… :: COMMAND-ON-HOST-2…',
  )
  .addOption(new Option('--device <type>', 'only this software device').choices(['rxe', 'siw']))
  .addOption(new Option('--hosts <count>', 'guests to boot').choices(['1', '2']).default('1'))
  .option('--shell', 'a prompt instead of a command')
  .option('--guest', 'a guest even where this machine has RDMA itself')
  .option('--results <folder>', 'a folder that the command can write to ($NETTS_LAB_RESULTS)')
  .option('--timeout <seconds>', 'after which the command is killed; 0: never', number, 600)
  .option('--boot-timeout <seconds>', 'after which a guest that is not up is given up', number, 120)
  .option('--cpus <count>', 'of each guest (default: 2, or 1 each of two)', number)
  .option('--memory <MiB>', 'of each guest (default: 4096)', number)
  .option('--quiet', 'do not say what the lab is doing')
  .argument('[command...]')
  .passThroughOptions()

const words = process.argv.slice(2)
program.parse(words[0] === '--' ? words.slice(1) : words, { from: 'user' }) // pnpm hands its own -- over
const options = program.opts<Options>()
const commandLines = splitCommands(program.args, Number(options.hosts))

const running: Command[] = []
let interrupted = 0
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    const exit = () => process.exit(128 + constants.signals[signal])
    interrupted++
    if (running.length === 0 || interrupted > 1) exit()
    for (const command of running) command.kill(signal)
    setTimeout(exit, GRACE_MS).unref()
  })
}
whenAbandoned(() => process.exit(128 + constants.signals.SIGHUP))
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', () => process.exit(128 + constants.signals.SIGPIPE)) // whoever read our output is gone
}

try {
  process.exit(await main())
} catch (error) {
  if (!(error instanceof LabError)) throw error
  process.stderr.write(`lab: ${error.message}\n`)
  process.exit(LAB_FAILED)
}

async function main(): Promise<number> {
  const resultsFolder = options.results === undefined ? undefined : resolve(options.results)
  if (resultsFolder !== undefined) await mkdir(resultsFolder, { recursive: true })
  const labOptions: LabOptions = {
    progress: options.quiet ? () => {} : reportOnStderr,
    bootTimeoutMs: options.bootTimeout * 1000,
    ...(options.device === undefined ? {} : { devices: [options.device] }),
    ...(options.cpus === undefined ? {} : { cpus: options.cpus }),
    ...(options.memory === undefined ? {} : { memoryMiB: options.memory }),
    ...(resultsFolder === undefined ? {} : { resultsFolder }),
  }
  if (options.hosts === '2') {
    await using pair = await openPair(labOptions)
    const results = await Promise.all(pair.hosts.map((host, index) => runOn(host, index, true)))
    return results.map(exitStatus).find((status) => status !== 0) ?? 0
  }
  await using lab = await (options.guest ? openGuest(labOptions) : openLab(labOptions))
  return exitStatus(await runOn(lab.host, 0, false))
}

async function runOn(host: Host, index: number, mark: boolean): Promise<CommandResult> {
  const sink = (stream: NodeJS.WriteStream) => {
    const write = writeThrough(stream)
    return mark ? createLineMarker(`[${index + 1}] `, write) : write
  }
  const commandOptions: CommandOptions = {
    onStdout: sink(process.stdout),
    onStderr: sink(process.stderr),
    timeoutMs: options.shell ? 0 : options.timeout * 1000,
    // A terminal is the prompt's; anything else that comes in is for the (only) command.
    interactive: options.shell || (!process.stdin.isTTY && !mark),
  }
  const command = host.start(options.shell ? shellCommand() : commandLines[index]!, commandOptions)
  running.push(command)
  if (commandOptions.interactive) {
    if (process.stdin.isTTY) process.stdin.setRawMode(true)
    process.stdin.on('data', (data: Buffer) => command.write(data)).on('end', () => command.end())
  }
  try {
    return await command.result
  } finally {
    if (process.stdin.isTTY) process.stdin.setRawMode(false)
  }
}

/** A login shell on a terminal of its own in there, of this terminal's size. */
function shellCommand(): string[] {
  const { columns, rows } = process.stdout
  const size = columns && rows ? `stty rows ${rows} cols ${columns}; ` : ''
  return ['script', '--quiet', '--return', '--command', `${size}exec "\${SHELL:-bash}"`, '/dev/null']
}

function exitStatus({ status, signal }: CommandResult): number {
  return status ?? 128 + (signal === null ? 0 : constants.signals[signal])
}

function splitCommands(args: readonly string[], hosts: number): string[][] {
  const commands: string[][] = [[]]
  for (const word of args) {
    if (hosts > 1 && word === '::') commands.push([])
    else commands.at(-1)?.push(word)
  }
  if (options.shell) {
    if (hosts > 1 || args.length > 0) program.error('--shell takes no command and goes with one host')
  } else if (commands.length !== hosts || commands.some((command) => command.length === 0)) {
    program.error(hosts > 1 ? 'a command for each host, please: ONE :: OTHER' : 'which command?')
  }
  return commands
}
