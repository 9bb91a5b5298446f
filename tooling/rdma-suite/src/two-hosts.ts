/** A driver between two hosts, and what can happen to those and between them. Runs on this machine; the guests are its own. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, type Guest, type LabPair, openPair } from '@netts/lab'

/** 8 MiB. */
const MESSAGES = 128
const FOR_EVER = 1_000_000

interface Said {
  readonly event: string
  readonly messages?: number
  readonly damaged?: number
  readonly code?: string
  readonly message?: string
  readonly left?: unknown[]
  readonly pinnedBytes?: number
}

/** A process in a guest, and the lines that it prints. */
class Program {
  readonly command: Command
  readonly #said: Said[] = []
  #waiting: (() => void) | undefined
  #text = ''
  #over = false

  constructor(guest: Guest, argv: readonly string[]) {
    this.command = guest.start([process.execPath, '--enable-source-maps', ...argv], {
      onStdout: (chunk) => {
        this.#text += chunk.toString()
        const lines = this.#text.split('\n')
        this.#text = lines.pop()!
        for (const line of lines) if (line.startsWith('{')) this.#said.push(JSON.parse(line) as Said)
        this.#waiting?.()
      },
      onStderr: (chunk) => {
        process.stderr.write(chunk)
      },
    })
    const over = () => {
      this.#over = true
      this.#waiting?.()
    }
    this.command.result.then(over, over)
  }

  /** The next thing that it says, which has to be this. */
  async says(event: string, timeoutMs = 60_000): Promise<Said> {
    const deadline = delay(timeoutMs, undefined, { ref: false }).then(() => {
      throw new Error(`it did not say ${event} within ${timeoutMs} ms`)
    })
    while (this.#said.length === 0) {
      if (this.#over) throw new Error(`it ended without saying ${event}`)
      await Promise.race([deadline, new Promise<void>((resolve) => (this.#waiting = resolve))])
    }
    deadline.catch(() => {})
    const said = this.#said.shift()!
    assert.equal(said.event, event, JSON.stringify(said))
    return said
  }
}

/** What is tested between two hosts. */
export interface TwoHostsOptions {
  /** The driver's name. */
  readonly name: string
  /** Path of the program that is either end: it calls `runTwoHostsEnd`. */
  readonly program: string
  /** The tool of perftest that does the same, as the control. */
  readonly control: 'ib_send_bw' | 'ib_write_bw'
}

/** Declares the suite, for each type of device. */
export function twoHosts({ name, program, control }: TwoHostsOptions): void {
  for (const type of ['rxe', 'siw'] as const) {
    describe(`${name} between two hosts over ${type}`, { timeout: 500_000 }, () => {
      let lab: LabPair
      let programs: string[]

      before(async () => {
        lab = await openPair({ devices: [type], memoryMiB: 1024 })
        programs = await Promise.all(lab.hosts.map((host) => host.install(program)))
      })

      after(async () => {
        await lab?.[Symbol.asyncDispose]()
      })

      async function start(messages: number): Promise<{ client: Program; server: Program }> {
        const server = new Program(lab.hosts[1], [programs[1]!, 'server', type])
        await server.says('listening')
        const client = new Program(lab.hosts[0], [programs[0]!, 'client', type, `${messages}`])
        await client.says('connected')
        return { client, server }
      }

      async function everythingArrives({
        client,
        server,
      }: {
        client: Program
        server: Program
      }): Promise<void> {
        const received = await server.says('end', 120_000)
        assert.deepEqual(received, { event: 'end', messages: MESSAGES, damaged: 0 })
        assert.deepEqual(await client.says('end'), { event: 'end', messages: MESSAGES })
        await Promise.all([nothingLeft(client), nothingLeft(server)])
      }

      async function nothingLeft(program: Program): Promise<void> {
        assert.deepEqual(await program.says('closed'), { event: 'closed', left: [], pinnedBytes: 0 })
      }

      it('8 MiB arrive whole', async () => {
        await everythingArrives(await start(MESSAGES))
      })

      it('a link that is down for 2 s in mid-transfer loses nothing', async () => {
        const ends = await start(MESSAGES)
        await lab.link.carried(2 * 2 ** 20)
        await lab.link.down()
        await delay(2000)
        await lab.link.up()
        await everythingArrives(ends)
      })

      it('1 % of packets lost loses nothing', async () => {
        lab.link.impair({ dropRate: 0.01 })
        try {
          await everythingArrives(await start(MESSAGES))
          assert.ok(lab.link.statistics.dropped > 0)
        } finally {
          lab.link.heal()
        }
      })

      it(`1 % of packets lost does not stop ${control} either, which is the control`, async () => {
        lab.link.impair({ dropRate: 0.01 })
        try {
          const [client, server] = lab.hosts
          const { peerAddress } = client.devices.find((device) => device.type === type)!
          const options = ['-R', '-F', '-s', '65536', '-n', `${MESSAGES}`]
          const serving = server.run([control, ...options])
          let measured = await client.run([control, ...options, peerAddress!])
          // Until the server listens, there is nobody.
          for (let tries = 0; measured.status !== 0 && tries < 20; tries++) {
            await delay(500)
            measured = await client.run([control, ...options, peerAddress!])
          }
          assert.equal(measured.status, 0, measured.stderr)
          assert.equal((await serving).status, 0)
        } finally {
          lab.link.heal()
        }
      })

      it('a peer that is killed is an error, never a clean end, and leaves nothing here', async () => {
        for (const victim of ['server', 'client'] as const) {
          const ends = await start(FOR_EVER)
          await lab.link.carried(2 ** 20)
          ends[victim].command.kill('SIGKILL')
          const survivor = victim === 'server' ? ends.client : ends.server
          const { code } = await survivor.says('end')
          assert.equal(code, 'ERR_NETTS_RESET')
          await nothingLeft(survivor)
        }
      })

      it('a peer without power is lost within the deadline of keepalive, and leaves nothing here', async () => {
        const { client } = await start(FOR_EVER)
        await lab.link.carried(2 ** 20)
        await lab.hosts[1].powerCut()
        const cutAt = performance.now()
        const { code } = await client.says('end', 30_000)
        const seconds = (performance.now() - cutAt) / 1000
        console.log(`lost after ${seconds.toFixed(1)} s: ${code}`)
        assert.equal(code, 'ERR_NETTS_PEER_LOST')
        // The default interval and timeout, one interval that was not quiet, and a slow guest.
        assert.ok(seconds < 20)
        await nothingLeft(client)
      })
    })
  }
}
