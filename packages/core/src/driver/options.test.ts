/** Options from the outside. */
import { describe, expect, it } from 'vitest'
import { checkBoolean, checkChoice, checkInteger, checkObject, checkSignal, checkTimeout } from './options.js'

const refused = expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' })

describe('checks of options', () => {
  it('return what is in range', () => {
    expect(checkInteger('n', 1, 1, 3)).toBe(1)
    expect(checkInteger('n', 3, 1, 3)).toBe(3)
    expect(checkTimeout('timeoutMs', 0)).toBe(0)
    expect(checkTimeout('timeoutMs', 2 ** 31 - 1)).toBe(2 ** 31 - 1)
    expect(checkBoolean('b', false)).toBe(false)
    expect(checkChoice('c', 'two', ['one', 'two'])).toBe('two')
    expect(checkObject('o', refused)).toBe(refused)
    expect(checkSignal(undefined)).toBe(undefined)
    const { signal } = new AbortController()
    expect(checkSignal(signal)).toBe(signal)
  })

  it.each([0, 4, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2', null, undefined, 2n])(
    'refuse %s as 1 to 3',
    (value) => {
      expect(() => checkInteger('n', value, 1, 3)).toThrow(refused)
      expect(() => checkInteger('n', value, 1, 3)).toThrow('n must be an integer from 1 to 3')
    },
  )

  it.each([null, undefined, 1, 'options', () => {}])('refuse %s as an object', (value) => {
    expect(() => checkObject('options', value as never)).toThrow(refused)
  })

  it('refuse what no timer can wait, what is no boolean, no choice, no signal', () => {
    // setTimeout would take 2^31 for 1.
    expect(() => checkTimeout('timeoutMs', 2 ** 31)).toThrow(refused)
    expect(() => checkTimeout('timeoutMs', -1)).toThrow(refused)
    expect(() => checkBoolean('b', 0)).toThrow(refused)
    expect(() => checkChoice('c', 'three', ['one', 'two'])).toThrow("c must be one of one, two, not 'three'")
    expect(() => checkSignal({})).toThrow(refused)
    expect(() => checkSignal(null)).toThrow(refused)
  })
})
