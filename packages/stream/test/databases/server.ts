/** Servers from Debian's packages, each started for a test, on a Unix socket in a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How a server is run. */
export interface ServerProgram {
  /** Where its program may be. */
  readonly programs: readonly string[]
  /** The account that it needs, where the tests run as root. @default root itself */
  readonly account?: string
  /** Makes what it needs in its folder. */
  readonly prepare?: (program: string, folder: string, run: (command: string, args: string[]) => void) => void
  /** Its arguments. */
  readonly args: (folder: string) => string[]
  /** Its socket, within the folder. */
  readonly socket: string
  /** What it prints once it serves clients, where it listens earlier than that. */
  readonly ready?: RegExp
}

/** A server that runs. */
export interface RunningServer {
  readonly path: string
  stop(): Promise<void>
}

const isRoot = process.getuid?.() === 0

/** Why a server can't be run here; else `undefined`. On a build server it must be there. */
export function missing({ programs }: ServerProgram): string | undefined {
  if (programs.some((program) => existsSync(program)) || process.env.CI === 'true') return undefined
  return `${programs.at(-1)} is not installed`
}

/** Starts a server, and waits until it serves clients. */
export async function startServer(server: ServerProgram): Promise<RunningServer> {
  const program = server.programs.find((file) => existsSync(file))
  if (program === undefined) throw new Error(`${server.programs.at(-1)} is not installed`)
  const account = isRoot && server.account ? idsOf(server.account) : undefined
  const folder = mkdtempSync(join(tmpdir(), 'netts-db-'))
  let running: ChildProcess | undefined
  // However this process ends, the server ends with it.
  const onExit = () => {
    running?.kill('SIGKILL')
    removeFolder(folder)
  }
  process.once('exit', onExit)
  if (account) chownSync(folder, account.uid, account.gid)
  const options = { cwd: folder, ...account }
  server.prepare?.(program, folder, (command, args) => {
    execFileSync(command, args, { ...options, stdio: 'pipe' })
  })
  const child = spawn(program, server.args(folder), { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  running = child
  let printed = ''
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (data: Buffer) => {
      printed += data.toString()
    })
  }
  const path = join(folder, server.socket)
  while ((server.ready && !server.ready.test(printed)) || !(await listens(path))) {
    const end = child.exitCode ?? child.signalCode
    if (end !== null) throw new Error(`${program} ended with ${end}:\n${printed}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    path,
    async stop() {
      await killed(child)
      process.off('exit', onExit)
      removeFolder(folder)
    },
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

function idsOf(account: string) {
  const id = (flag: string) => Number(execFileSync('id', [flag, account], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** PostgreSQL, with the account `netts` and no password. */
export const postgresServer: ServerProgram = {
  programs: ['/usr/lib/postgresql/17/bin/postgres', '/usr/lib/postgresql/15/bin/postgres'],
  account: 'postgres',
  prepare: (program, folder, run) =>
    run(join(program, '../initdb'), ['-D', join(folder, 'data'), '-U', 'netts', '-A', 'trust', '--no-sync']),
  args: (folder) => [
    '-D',
    join(folder, 'data'),
    '-k',
    folder,
    '-c',
    'listen_addresses=',
    '-c',
    'fsync=off',
    '-c',
    'lc_messages=C',
  ],
  socket: '.s.PGSQL.5432',
  // Until then, it refuses clients: `the database system is starting up`.
  ready: /ready to accept connections/,
}

export const redisServer: ServerProgram = {
  programs: ['/usr/bin/redis-server'],
  args: () => ['--port', '0', '--unixsocket', 'redis.sock', '--save', '', '--appendonly', 'no'],
  socket: 'redis.sock',
}

/** MariaDB, with the account `root` and no password. */
export const mariadbServer: ServerProgram = {
  programs: ['/usr/sbin/mariadbd'],
  account: 'mysql',
  prepare: (_program, folder, run) =>
    run('mariadb-install-db', [
      '--no-defaults',
      `--datadir=${join(folder, 'data')}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ]),
  args: (folder) => [
    '--no-defaults',
    `--datadir=${join(folder, 'data')}`,
    `--socket=${join(folder, 'db.sock')}`,
    '--skip-networking',
    '--max-allowed-packet=16M',
  ],
  socket: 'db.sock',
}

export const mosquittoServer: ServerProgram = {
  programs: ['/usr/sbin/mosquitto'],
  account: 'mosquitto',
  prepare: (_program, folder) =>
    writeFileSync(
      join(folder, 'mosquitto.conf'),
      `listener 0 ${join(folder, 'mqtt.sock')}\nallow_anonymous true\npersistence false\n`,
    ),
  args: (folder) => ['-c', join(folder, 'mosquitto.conf')],
  socket: 'mqtt.sock',
}
