#!/usr/bin/env node
/** The command `netts`. Ends with status 2 when it was called wrongly, and 1 when it failed. */
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
  // The command `complete`: it knows those before it.
  tab(netts)
  try {
    await netts.parseAsync()
    return Number(process.exitCode ?? 0)
  } catch (error) {
    // What is wrong with the call was printed, and so was the help that was asked for.
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
