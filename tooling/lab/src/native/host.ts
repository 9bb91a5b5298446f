/** This machine as a host: commands are its own processes, and die with this one. */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { bundle } from '../bundle.js'
import { type Command, type CommandOptions, createCommand } from '../command.js'
import type { LabDevice } from '../devices.js'
import { commandEnvironment, type Host } from '../host.js'
import type { TemporaryFolder } from '../prepare/cache.js'

/**
 * @param programs where installed programs are put
 * @param resultsFolder what `NETTS_LAB_RESULTS` says
 */
export function createNativeHost(
  devices: readonly LabDevice[],
  programs: TemporaryFolder,
  resultsFolder: string | undefined,
): Host {
  const start = (argv: readonly string[], options: CommandOptions = {}): Command => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
      cwd: options.cwd,
      env: commandEnvironment('native', devices, resultsFolder, options.env),
      detached: true,
      stdio: 'pipe',
    })
    const controller = createCommand(
      argv.join(' '),
      {
        input: (bytes) => void (bytes.byteLength > 0 ? child.stdin.write(bytes) : child.stdin.end()),
        signal: (signal) => {
          try {
            if (child.pid !== undefined) process.kill(-child.pid, signal)
          } catch {
            // it ended meanwhile
          }
        },
      },
      options,
    )
    child.stdin.on('error', () => {}) // a command need not read its input
    const forward = async (output: AsyncIterable<Buffer>, sink: (chunk: Buffer) => void | Promise<void>) => {
      for await (const chunk of output) await sink(chunk)
    }
    const outputs = Promise.all([
      forward(child.stdout, controller.stdout),
      forward(child.stderr, controller.stderr),
    ])
    child.once('error', (error) => controller.refused(error.message))
    child.once('close', async (status, signal) => {
      await outputs.catch(() => {})
      controller.exited(status, signal)
    })
    if (options.input !== undefined) controller.command.write(options.input)
    if (!options.interactive) controller.command.end()
    return controller.command
  }
  return {
    devices,
    isUp: true,
    start,
    run: async (argv, options) => await start(argv, options).result,
    async install(entry) {
      const path = join(programs.path, `${basename(entry).replace(/\.[mc]?ts$/, '')}.mjs`)
      await writeFile(path, await bundle(entry))
      return path
    },
  }
}
