/** `netts doctor --peer` between two guests, in good order and in every kind of trouble that can be made there. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Guest, type LabPair, openPair } from '@netts/lab'
import type { Finding } from '../src/doctor/finding.js'
import { assertSaid } from './said.js'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const PORT = 18_516
/** Of a step: emulated guests are slow, and what fails takes all of it. */
const TIMEOUT_MS = 20_000

let pair: LabPair
let near: Guest
let program: string
before(async () => {
  pair = await openPair()
  near = pair.hosts[0]
  ;[program] = (await Promise.all(pair.hosts.map((host) => host.install(MAIN)))) as [string, string]
  const serving = pair.hosts[1].start(
    [process.execPath, program, 'doctor', '--serve', '--timeout', `${TIMEOUT_MS}`],
    { timeoutMs: 0 },
  )
  serving.result.catch(() => {})
  await serving.output(/serving doctors/)
})
after(async () => await pair[Symbol.asyncDispose]())

/** What the doctor of the first guest says of the second. */
async function examine(address: string): Promise<{ status: number | null; findings: readonly Finding[] }> {
  const command = [process.execPath, program, 'doctor', '--json', '--timeout', `${TIMEOUT_MS}`]
  const { status, stdout, stderr } = await near.run([...command, '--peer', `${address}:${PORT}`])
  assert.notEqual(stdout, '', stderr)
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] }
  for (const { verdict, check, message, remedy } of findings) {
    console.log(`${verdict.padEnd(8)} ${check.padEnd(9)} ${message}${remedy ? ` → ${remedy}` : ''}`)
  }
  return { status, findings }
}

const peerOf = (type: string) => near.devices.find((device) => device.type === type)!.peerAddress!

/** Whether a frame of Ethernet is IPv4 with UDP to the port of RoCE v2. */
function isRoce(frame: Buffer): boolean {
  return frame.readUInt16BE(12) === 0x0800 && frame[23] === 17 && frame.readUInt16BE(36) === 4791
}

describe('netts doctor --peer', { timeout: 580_000 }, () => {
  it('two hosts in good order, over Soft-RoCE', async () => {
    const { status, findings } = await examine(peerOf('rxe'))
    assertSaid('peer: good order, rxe', findings)
    assert.equal(status, 0)
  })

  it('two hosts in good order, over Soft-iWARP', async () => {
    const { status, findings } = await examine(peerOf('siw'))
    assertSaid('peer: good order, siw', findings)
    assert.equal(status, 0)
  })

  it('loss', async () => {
    pair.link.impair({
      dropRate: 0.01,
      matches: (frame) => frame.byteLength > 100 && frame[14] === 0x45,
      seed: 7,
    })
    try {
      assertSaid('peer: loss', (await examine(peerOf('rxe'))).findings)
    } finally {
      pair.link.heal()
    }
  })

  it('a firewall on UDP 4791', async () => {
    pair.link.impair({ dropRate: 1, matches: isRoce })
    try {
      const { status, findings } = await examine(peerOf('rxe'))
      assertSaid('peer: firewall', findings)
      assert.equal(status, 1)
    } finally {
      pair.link.heal()
    }
  })

  it('a switch with a smaller MTU than both ends', async () => {
    pair.link.impair({ dropRate: 1, matches: (frame) => frame.byteLength > 1514 })
    try {
      const { status, findings } = await examine(peerOf('rxe'))
      assertSaid('peer: switch MTU', findings)
      assert.equal(status, 1)
    } finally {
      pair.link.heal()
    }
  })

  it('an end with a smaller MTU', async () => {
    await pair.hosts[1].run(['ip', 'link', 'set', 'eth0', 'mtu', '1500'])
    try {
      const { findings } = await examine(peerOf('rxe'))
      assertSaid('peer: end MTU', findings)
    } finally {
      await pair.hosts[1].run(['ip', 'link', 'set', 'eth0', 'mtu', '9000'])
    }
  })

  it('a peer whose address is on no device', async () => {
    await pair.hosts[1].run(['ip', 'address', 'add', '10.97.0.2/24', 'dev', 'lo'])
    await near.run(['ip', 'route', 'add', '10.97.0.2', 'dev', 'eth0'])
    const { status, findings } = await examine('10.97.0.2')
    assertSaid('peer: no device there', findings)
    assert.equal(status, 1)
  })
})
