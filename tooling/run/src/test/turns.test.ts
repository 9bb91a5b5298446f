import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Outputs, runInTurns } from './turns.js'

test('two run at a time, each once what it needs has ended', async () => {
  const log: string[] = []
  let running = 0
  const steps = [
    { name: 'a', turns: 5 },
    { name: 'b', turns: 1 },
    { name: 'c', turns: 1, needs: ['a'] },
    { name: 'd', turns: 1 },
    { name: 'e', turns: 1, needs: ['not run'] },
  ]
  await runInTurns(steps, 2, async ({ name, turns }) => {
    expect(++running).toBeLessThanOrEqual(2)
    log.push(name)
    for (let i = 0; i < turns; i++) await turn()
    log.push(`${name} ended`)
    running--
  })
  expect(log.slice(0, 4)).toEqual(['a', 'b', 'b ended', 'd'])
  expect(log.indexOf('c')).toBeGreaterThan(log.indexOf('a ended'))
  expect(log).toHaveLength(10)
})

test('needs that go in a circle are an error', async () => {
  const circle = [
    { name: 'a', needs: ['b'] },
    { name: 'b', needs: ['a'] },
  ]
  await expect(runInTurns(circle, 2, async () => {})).rejects.toThrow('a waits for what waits for it')
})

test('what is printed at the same time comes out one after the other', () => {
  let printed = ''
  const outputs = new Outputs((data) => {
    printed += data
  })
  const [a, b, c] = [outputs.open(), outputs.open(), outputs.open()]
  c.write('c')
  b.write('b')
  a.write('a')
  c.end()
  expect(printed).toBe('a')
  a.end()
  expect(printed).toBe('ab')
  b.write('B')
  expect(printed).toBe('abB')
  b.end()
  expect(printed).toBe('abBc')
  outputs.open().write('d')
  expect(printed).toBe('abBcd')
})
