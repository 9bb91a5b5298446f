/** The lab itself, in as few boots as show it all. Runs on this machine; the guests are its own. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Lab, type LabPair, openGuest, openPair } from './index.js'
import type { Guest } from './machine/guest.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const quiet = { progress: () => {} }

/** The arguments to Node.js that `npx pnpm lab` stands for. */
function labArguments(args: string[]): string[] {
  const main = join(root, 'tooling/lab/src/main.ts')
  return ['--conditions=@netts/source', '--import', 'tsx', main, '--guest', ...args]
}

function labCommand(args: string[], env = process.env): ChildProcess {
  return spawn(process.execPath, labArguments(args), { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** All processes below a process, by number. */
function descendants(pid: number): number[] {
  const listing = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const pairs = listing
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child = 0]) => [child, ...below(child)])
  return below(pid)
}

/** Waits until QEMU runs below a process, and returns all the processes there. */
async function whenGuestRuns({ pid }: ChildProcess): Promise<number[]> {
  for (;;) {
    const processes = descendants(pid!)
    if (processes.some((process) => commandLine(process).startsWith('qemu'))) return processes
    await delay(100)
  }
}

function commandLine(pid: number): string {
  return existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : ''
}

const isRunning = (pid: number) =>
  existsSync(`/proc/${pid}/stat`) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))

async function allGone(pids: number[]): Promise<boolean> {
  for (let attempt = 0; attempt < 50 && pids.some(isRunning); attempt++) await delay(100)
  return !pids.some(isRunning)
}

describe('the command line', () => {
  test('hands over Ctrl-C; hands back exit status, complete output in order, and files', async () => {
    const results = mkdtempSync(join(tmpdir(), 'netts results '))
    try {
      const script = `
        seq 100000; seq 100000 -1 1 >&2
        ls /sys/class/infiniband > "$NETTS_LAB_RESULTS/devices"
        trap 'echo interrupted; exit 7' INT
        echo ready
        while :; do sleep 0.1; done`
      const lab = labCommand(['--quiet', '--device', 'siw', '--results', results, 'sh', '-c', script])
      const output = { stdout: '', stderr: '' }
      for (const name of ['stdout', 'stderr'] as const) {
        lab[name]?.setEncoding('utf8').on('data', (text: string) => {
          output[name] += text
          if (name === 'stdout' && output.stdout.endsWith('\nready\n')) lab.kill('SIGINT')
        })
      }
      const [status] = await once(lab, 'close')
      assert.equal(status, 7)
      const upTo = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}\n`)
      assert.equal(output.stdout, `${upTo(100_000).join('')}ready\ninterrupted\n`)
      assert.equal(output.stderr, upTo(100_000).reverse().join(''))
      assert.equal(readFileSync(join(results, 'devices'), 'utf8'), 'siw0\n')
    } finally {
      rmSync(results, { recursive: true })
    }
  })

  test('leaves nothing behind when it is killed', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'netts-lab-test-'))
    try {
      const lab = labCommand(['--quiet', 'sleep', '600'], { ...process.env, TMPDIR: temporary })
      const processes = await whenGuestRuns(lab)
      lab.kill('SIGKILL')
      assert.equal(await allGone(processes), true)
      // The TypeScript loader keeps its cache there.
      assert.deepEqual(
        readdirSync(temporary).filter((name) => !name.startsWith('tsx-')),
        [],
      )
    } finally {
      rmSync(temporary, { recursive: true })
    }
  })

  test('ends when its parent is killed', async () => {
    const parent = spawn(
      'bash',
      ['-c', '"$@" & wait', 'bash', process.execPath, ...labArguments(['sleep', '600'])],
      {
        cwd: root,
        stdio: 'ignore',
      },
    )
    const processes = await whenGuestRuns(parent)
    parent.kill('SIGKILL')
    assert.equal(await allGone(processes), true)
  })
})

test('a guest that never boots is reported', async () => {
  // -S: the processors never start.
  const opening = openGuest({ ...quiet, bootTimeoutMs: 2_000, qemuArguments: ['-S'] })
  await assert.rejects(opening, { name: 'LabError', message: /did not boot: no sign of life within 2000 ms/ })
})

test('a guest whose kernel panics is reported with its last words', async () => {
  const append = ['-append', 'console=ttyS0 quiet panic=-1 rdinit=/no-such-file']
  const opening = openGuest({ ...quiet, qemuArguments: append })
  await assert.rejects(opening, { name: 'LabError', message: /did not boot: QEMU ended.*panic/is })
})

describe('a guest', () => {
  let lab: Lab<Guest>
  before(async () => {
    lab = await openGuest(quiet)
  })
  after(async () => {
    await lab[Symbol.asyncDispose]()
  })

  test('has both devices', () => {
    const shown = lab.host.devices.map(({ name, type, address }) => [name, type, address])
    assert.deepEqual(shown, [
      ['rxe0', 'rxe', '10.99.0.1'],
      ['siw0', 'siw', '10.98.0.1'],
    ])
  })

  test('ends a command that hangs', async () => {
    await assert.rejects(lab.host.run(['sleep', '600'], { timeoutMs: 500 }), {
      name: 'LabError',
      message: /sleep 600 was killed after its deadline of 500 ms/,
    })
    const { status } = await lab.host.run(['pgrep', 'sleep'])
    assert.equal(status, 1)
  })

  test('says that a command does not exist', async () => {
    await assert.rejects(lab.host.run(['no-such-program']), {
      name: 'LabError',
      message: 'no-such-program: No such file or directory',
    })
  })

  test('reports the signal that ended a command', async () => {
    const command = lab.host.start(['sleep', '600'])
    command.kill('SIGUSR1')
    const { status, signal } = await command.result
    assert.deepEqual([status, signal], [null, 'SIGUSR1'])
  })

  test('freezes and thaws a command', async () => {
    const command = lab.host.start(['sh', '-c', 'echo started; read line; echo "got $line"'], {
      interactive: true,
    })
    await command.output(/started/)
    command.freeze()
    command.write('data\n')
    await delay(500)
    assert.equal(command.stdout, 'started\n')
    command.thaw()
    const { stdout } = await command.result
    assert.equal(stdout, 'started\ngot data\n')
  })

  test('hands over large input', async () => {
    const input = Buffer.alloc(3_000_000, 'netts')
    const { stdout } = await lab.host.run(['sha256sum'], { input })
    const expected = execFileSync('sha256sum', { input, encoding: 'utf8' })
    assert.equal(stdout, expected)
  })

  test('allows unlimited locked memory and has netem', async () => {
    const script = 'ulimit -l; tc qdisc add dev dummy0 root netem delay 1ms && tc qdisc del dev dummy0 root'
    const { stdout, status } = await lab.host.run(['bash', '-c', script])
    assert.deepEqual([stdout, status], ['unlimited\n', 0])
  })

  test('leaves this machine as it was', async () => {
    const file = join(root, 'tooling/lab/written-in-the-guest')
    const { status } = await lab.host.run(['sh', '-c', 'echo > "$1" && rm README.md', 'sh', file], {
      cwd: join(root, 'tooling/lab'),
    })
    assert.equal(status, 0)
    assert.equal(existsSync(file), false)
    assert.equal(existsSync(join(root, 'tooling/lab/README.md')), true)
  })

  test('can be paused with its kernel', async () => {
    const command = lab.host.start(['sh', '-c', 'echo started; sleep 0.5; echo done'])
    await command.output(/started/)
    await lab.host.pause()
    await delay(1_500)
    assert.equal(command.stdout, 'started\n')
    await lab.host.resume()
    assert.equal((await command.result).stdout, 'started\ndone\n')
  })

  test('can be powered off', async () => {
    const command = lab.host.start(['sleep', '600'])
    await lab.host.powerOff()
    assert.equal(lab.host.isUp, false)
    await assert.rejects(command.result, { name: 'LabError', message: /the guest ended/ })
    assert.throws(() => lab.host.start(['true']), { name: 'LabError', message: /the guest ended/ })
  })
})

describe('two guests', () => {
  let pair: LabPair
  before(async () => {
    pair = await openPair(quiet)
  })
  after(async () => {
    await pair[Symbol.asyncDispose]()
  })

  /** rping from host 2 to host 1, with verified data. */
  async function rping(address: string): Promise<string> {
    const [one, two] = pair.hosts
    const server = one.start(['rping', '-s', '-a', address, '-C', '5', '-V'])
    await delay(1_000) // rping does not say when it listens
    const client = await two.run(['rping', '-c', '-a', address, '-C', '5', '-V', '-v'], { timeoutMs: 60_000 })
    assert.equal(client.status, 0, client.stderr)
    assert.equal((await server.result).status, 0)
    return client.stdout
  }

  for (const index of [0, 1]) {
    test(`reach each other by rping on ${['rxe', 'siw'][index]}`, async () => {
      const { address, type } = pair.hosts[0].devices[index]!
      assert.equal(pair.hosts[1].devices[index]?.peerAddress, address)
      const output = await rping(address)
      assert.equal(output.match(/^ping data/gm)?.length, 5, type)
    })
  }

  test('carry data over a link that loses, corrupts and delays packets', async () => {
    const before = { ...pair.link.statistics }
    // Only UDP, which is rxe's: its retransmission takes a while.
    pair.link.impair({ dropRate: 0.03, corruptRate: 0.03, delayMs: 20, seed: 4 })
    await rping(pair.hosts[0].devices[0]!.address)
    pair.link.heal()
    const { delayed, dropped, corrupted } = pair.link.statistics
    assert.notEqual(delayed, before.delayed)
    assert.notEqual(dropped + corrupted, before.dropped + before.corrupted)
  })

  test('see the carrier go and come back', async () => {
    const state = async () => (await pair.hosts[1].run(['cat', '/sys/class/net/eth0/carrier'])).stdout.trim()
    await pair.link.down()
    assert.equal(await state(), '0')
    await pair.link.up()
    assert.equal(await state(), '1')
  })

  test('see a power cut in mid-transfer', async () => {
    const [one, two] = pair.hosts
    const { name, address } = one.devices[0]!
    // rxe takes a retry count of 7, which these tools use by default, for endless.
    const send = ['ib_send_bw', '-d', name, '-R', '--retry_count=3', '-e', '-s', '65536', '-n', '100000']
    const transfer = ['stdbuf', '-oL', ...send, '-F']
    const server = one.start(transfer)
    await server.output(/Waiting for client/)
    const client = two.start([...transfer, address], { timeoutMs: 120_000 })
    await pair.link.carried(2_000_000)
    await one.powerCut()
    await assert.rejects(server.result, /host 1 ended/)
    const { status, stdout, stderr } = await client.result
    assert.notEqual(status, 0)
    // Status 12 of ibv_wc_status: transport retry counter exceeded.
    assert.match(stdout + stderr, /Failed status 12/)
  })
})
