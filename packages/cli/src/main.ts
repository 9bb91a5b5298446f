#!/usr/bin/env node
/** The command `netts`. It ends with status 2 for wrong arguments, and 1 after a failure. */
import tab from '@bomb.sh/tab/commander'
import { isNettsError } from '@netts/core'
import { Command, CommanderError } from 'commander'
import { version } from '../package.json'
import { doctorCommand } from './doctor/command.js'
import { benchCommand } from './measure/bench-command.js'
import { echoCommand } from './measure/echo-command.js'
import { pingCommand } from './measure/ping-command.js'
import { tunnelCommand } from './tunnel-command.js'

async function main(): Promise<number> {
  const netts = new Command('netts')
    .description('Bytes between processes, over TCP or RDMA')
    .version(version)
    .exitOverride()
  const commands = [doctorCommand(), pingCommand(), echoCommand(), benchCommand(), tunnelCommand()]
  for (const command of commands) netts.addCommand(command)
  for (const command of netts.commands) command.copyInheritedSettings(netts)
  // The command `complete`, for all commands before it.
  tab(netts)
  try {
    await netts.parseAsync()
    return Number(process.exitCode ?? 0)
  } catch (error) {
    // commander has printed the error, or the help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!isNettsError(error)) throw error
    console.error(`netts: ${error.message} (${error.code})`)
    return 1
  }
}

main().then(
  (status) => {
    process.exitCode = status
  },
  (error: unknown) => {
    console.error(error)
    process.exitCode = 1
  },
)
