/** Random lives of a pool keep its bounds, serve in order and leave nothing behind. */
import { it } from 'vitest'
import { liveAnyLife } from './test-support/any-life.js'

it('keeps its bounds, serves in order, and leaves nothing behind, whatever happens', () => liveAnyLife(150))
