/**
 * `child_process.spawn` while bytes pass: a child begins as a copy of its parent, and pages that both have would be copied
 * when the parent writes them next, away from the device.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { type Connection, connect, listen } from '@netts/core'
import { labDevices } from '@netts/rdma-suite/lab-devices'
import { sendRecv } from '../src/index.js'

const CHILDREN = 20
const MESSAGE_BYTES = 30_000

describe('child_process.spawn under traffic', () => {
  for (const { name, address } of labDevices()) {
    it(`corrupts nothing on ${name}`, { timeout: 120_000 }, async () => {
      const server = await listen(sendRecv(), { host: address, port: 0 })
      const [near, far] = await Promise.all([connect(sendRecv(), server.address), server.accept()])
      assert(far)
      let isOver = false
      const passing = [pass(near, far, () => isOver), pass(far, near, () => isOver)]
      for (let count = 0; count < CHILDREN; count++) {
        const child = spawn('/bin/sh', ['-c', 'exit 7'], { stdio: 'ignore' })
        const [code] = await once(child, 'exit')
        assert.equal(code, 7)
      }
      isOver = true
      for (const messages of await Promise.all(passing)) assert(messages > CHILDREN, `${messages} messages`)
      await Promise.all([near.close(), far.close(), server.close()])
    })
  }
})

/** Passes messages one way, and compares each. @returns how many */
async function pass(from: Connection, to: Connection, isOver: () => boolean): Promise<number> {
  const sent = Buffer.alloc(MESSAGE_BYTES)
  let messages = 0
  for (; !isOver(); messages++) {
    randomFillSync(sent)
    const [received] = await Promise.all([to.recv(), from.send(sent)])
    assert(received?.equals(sent), `message ${messages} is not what was sent`)
  }
  return messages
}
