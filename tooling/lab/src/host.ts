/** Where commands run on RDMA devices: this machine, or a guest. */
import type { Command, CommandOptions, CommandResult } from './command.js'
import type { LabDevice } from './devices.js'

export interface Host {
  /** The devices there, as its commands find them in `NETTS_LAB_DEVICES`. */
  readonly devices: readonly LabDevice[]
  /** False once it is off: its power was cut, or it crashed. */
  readonly isUp: boolean
  /** Starts a command. */
  start(argv: readonly string[], options?: CommandOptions): Command
  /** Runs a command to its end. A status other than 0 is a result, not an error. */
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /**
   * Puts a TypeScript program there, bundled with what it imports.
   *
   * @param entry the path of its first file
   * @returns the path to run: `host.run([process.execPath, path])`
   */
  install(entry: string): Promise<string>
}

/** The environment of a command: this process's, the lab's own variables, and what the caller adds. */
export function commandEnvironment(
  kind: 'guest' | 'native',
  devices: readonly LabDevice[],
  resultsFolder: string | undefined,
  added: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return {
    ...Object.fromEntries(inherited),
    NETTS_LAB: kind,
    NETTS_LAB_DEVICES: JSON.stringify(devices),
    ...(resultsFolder === undefined ? {} : { NETTS_LAB_RESULTS: resultsFolder }),
    ...added,
  }
}
