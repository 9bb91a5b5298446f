/** What two doctors say to each other, and what a stranger may say. */
import { describe, expect, it } from 'vitest'
import { parse, parseQuestion, pattern, REQUEST } from './messages.js'

describe('a question', () => {
  it.each([{ ask: 'greeting' }, { ask: 'listen', wire: 'ring' }, { ask: 'stop' }, { ask: 'counters' }])(
    '%j is one',
    (question) => {
      expect(parseQuestion(Buffer.from(JSON.stringify(question)))).toEqual(question)
    },
  )

  it.each([
    '',
    'hello',
    'null',
    '7',
    '[]',
    '{}',
    '{"ask":"listen"}',
    '{"ask":"listen","wire":"rdma"}',
    '{"ask":"x"}',
  ])('%j is none', (text) => {
    expect(() => parseQuestion(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'ERR_NETTS_PROTOCOL' }),
    )
  })
})

it('an answer that is no JSON is an error of the protocol', () => {
  expect(() => parse(Buffer.from('HTTP/1.1 400 Bad Request'))).toThrow(
    expect.objectContaining({ code: 'ERR_NETTS_PROTOCOL' }),
  )
})

it('the pattern is as long as asked for, the same each time, and no part is like another', () => {
  for (const byteLength of [1, 4, 5, 64, 1000]) {
    const bytes = pattern(byteLength, REQUEST.take)
    expect(bytes.byteLength).toBe(byteLength)
    expect(bytes[0]).toBe(REQUEST.take)
    expect(bytes.equals(pattern(byteLength, REQUEST.take))).toBe(true)
  }
  const bytes = pattern(4096, REQUEST.give)
  expect(bytes.subarray(0, 1024).equals(bytes.subarray(1024, 2048))).toBe(false)
})
