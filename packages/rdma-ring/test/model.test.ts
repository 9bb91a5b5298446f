/** Two ends with small rings, in every interleaving. */
import { RESERVE } from '@netts/verbs/endpoint'
import { describe, expect, it } from 'vitest'
import { dueFor } from '../src/protocol/ring-end.js'
import { explore, type Setup } from './model.js'

/** A quarter of a ring of 256 bytes: the most that one send may have. */
const QUARTER = 64

describe('two ends in every interleaving', () => {
  const small = { capacity: 256, window: 2 }
  const cases: [string, Setup, Setup][] = [
    ['one way, quarters of the ring', { ...small, sends: Array(7).fill(QUARTER) }, { ...small, sends: [] }],
    ['both ways', { ...small, sends: [QUARTER, QUARTER] }, { ...small, sends: [QUARTER, 40] }],
    // 4 × (16 + 48) is the ring exactly.
    ['frames that end where the ring ends', { ...small, sends: Array(6).fill(48) }, { ...small, sends: [] }],
    // 240 bytes, so that no more than a header fits before the end.
    ['a header left before the end', { ...small, sends: [64, 64, 64, 64, 64] }, { ...small, sends: [] }],
    ['one byte each', { ...small, sends: Array(5).fill(1) }, { ...small, sends: [] }],
    [
      'rings of different sizes',
      { capacity: 512, window: 3, sends: [QUARTER, QUARTER] },
      { ...small, sends: [128, 1] },
    ],
    [
      'across the wrap at 2^32',
      { ...small, start: 2 ** 32 - 100, sends: [] },
      { ...small, start: 2 ** 32 - 256, sends: Array(6).fill(QUARTER) },
    ],
  ]
  for (const [name, first, second] of cases) {
    it(`never writes over what is not released, never runs out of receives, always ends: ${name}`, () => {
      expect(explore(first, second).states).toBeGreaterThan(100)
    })
  }
})

describe('two ends that release nothing', () => {
  const cases: [string, Setup, Setup][] = [
    [
      'half of either ring',
      { capacity: 256, window: 2, sends: [64, 32] },
      { capacity: 256, window: 2, sends: [48, 48] },
    ],
    [
      'one byte each, more than receives',
      { capacity: 512, window: 2, sends: Array(14).fill(1) },
      { capacity: 256, window: 2, sends: [] },
    ],
  ]
  for (const [name, first, second] of cases) {
    it(`can each send what the other may hold, and finish: ${name}`, () => {
      expect(explore(first, second, false).states).toBeGreaterThan(10)
    })
  }
})

it('two CREDIT frames never answer each other for ever: each grants more than it costs', () => {
  for (const window of [2, 3, 16, 4096]) expect(dueFor(window)).toBeGreaterThanOrEqual(2)
  expect(RESERVE.credit).toBeGreaterThan(RESERVE.fin)
})
