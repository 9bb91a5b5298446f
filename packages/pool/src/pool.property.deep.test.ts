/** The same as `pool.property.test.ts`, for longer. */
import { it } from 'vitest'
import { liveAnyLife } from './test-support/any-life.js'

it('keeps its bounds, serves in order, and leaves nothing behind, whatever happens', () =>
  liveAnyLife(20_000))
