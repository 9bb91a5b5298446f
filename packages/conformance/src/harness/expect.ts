/** Expectations about errors. */
import assert from 'node:assert/strict'
import { isNettsError, type NettsError, type NettsErrorCode } from '@netts/core'

/** Fails unless the value is a NettsError with one of the codes. */
export function assertCode(error: unknown, ...codes: NettsErrorCode[]): asserts error is NettsError {
  if (!isNettsError(error)) assert.fail(`expected ${codes.join(' or ')}, got ${String(error)}`)
  assert.ok(codes.includes(error.code), `expected ${codes.join(' or ')}, got ${error.code}: ${error.message}`)
  assert.notEqual(error.message, '', `${error.code} says nothing`)
}

/** Fails unless the call throws a NettsError with the code. */
export function assertThrows(call: () => unknown, code: NettsErrorCode): void {
  let result: unknown
  try {
    result = call()
  } catch (error) {
    assertCode(error, code)
    return
  }
  assert.fail(`expected ${code} to be thrown, got ${String(result)}`)
}

/** Fails unless the promise rejects with a NettsError with one of the codes. */
export async function assertRejects(
  promise: Promise<unknown>,
  ...codes: NettsErrorCode[]
): Promise<NettsError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  assert.ok(outcome, `expected ${codes.join(' or ')}, but it resolved`)
  assertCode(outcome.error, ...codes)
  return outcome.error
}
