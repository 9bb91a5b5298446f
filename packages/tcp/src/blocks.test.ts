import { connect, listen } from '@netts/core'
import { expect, it } from 'vitest'
import { BLOCK_BYTES, giveBlock, SMALL_BLOCK_BYTES, takeBlock, takeSmallBlock } from './blocks.js'
import { tcp } from './tcp.js'

it('blocks are used again by their size', () => {
  const [large, small] = [takeBlock(), takeSmallBlock()]
  expect([large.length, small.length]).toEqual([BLOCK_BYTES, SMALL_BLOCK_BYTES])
  giveBlock(small)
  giveBlock(large)
  expect(takeBlock()).toBe(large)
  expect(takeSmallBlock()).toBe(small)
})

it('a program that transfers the memory it received harms no later send or receive', async () => {
  await using listener = await listen(tcp(), { host: '127.0.0.1', port: 0 })
  await using near = await connect(tcp(), listener.address)
  await using far = (await listener.accept())!
  const message = Buffer.alloc(40_000, 7)
  for (let round = 0; round < 20; round++) {
    await near.send(message)
    const large = (await far.recvLease())!
    const { buffer } = large.chunk
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
    large.release()
    await near.send(Buffer.from('short'))
    expect(String(await far.recv())).toBe('short')
    await far.send(Buffer.from('answer'))
    expect(String(await near.recv())).toBe('answer')
  }
  for (const take of [takeBlock, takeSmallBlock]) {
    const blocks = Array.from({ length: 40 }, take)
    for (const block of blocks) expect(block.length).toBeGreaterThan(0)
    for (const block of blocks) giveBlock(block)
  }
})
