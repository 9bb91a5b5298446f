/** A worker process: one side of a run, or both sides of what lives in memory. Driven by its conductor. */
import type { Wire } from '../contenders/contender.js'
import { contenders } from '../contenders/index.js'
import type { CommandMessage, SideName, WorkerMessage } from '../run/protocol.js'
import { makeSide } from './traffic/index.js'
import type { Side } from './traffic/side.js'

const sides: Partial<Record<SideName, Side>> = {}
/** Shared by both sides where both are here. */
let wire: Wire | undefined

function say(message: WorkerMessage): void {
  if (process.connected) process.send?.(message)
}

function fail(error: unknown): void {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  say({ failure: { name, message, stack } })
}

async function obey(command: CommandMessage): Promise<unknown> {
  if (command.name === 'open') {
    const [spec, endpoints = []] = (command as CommandMessage<'open'>).args
    const contender = contenders.find(({ id }) => id === spec.contender)
    if (!contender || !('load' in contender)) throw new Error(`no contender here is called ${spec.contender}`)
    wire ??= await contender.load()
    const side = makeSide(command.side, { spec, contender, wire, fail })
    sides[command.side] = side
    return await side.open(endpoints)
  }
  const side = sides[command.side]
  if (!side) throw new Error(`${command.name} came before open`)
  if (command.name === 'settle') return await side.settle((command as CommandMessage<'settle'>).args[0])
  return await side[command.name]()
}

process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)
process.on('disconnect', () => process.exit())
process.on('message', (command: CommandMessage) => {
  obey(command).then((result) => say({ side: command.side, name: command.name, result }), fail)
})
