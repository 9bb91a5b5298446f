/** Garbage collection on demand, without a command line flag. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects everything that is unreachable, now. */
export const collectGarbage: () => void = runInNewContext('gc')
