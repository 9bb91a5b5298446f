/** The suites of `npm test`: every `*.test.ts` that needs neither a build nor more than seconds. */
import { suites } from './vitest.js'

export default suites(
  [
    '{packages,tooling}/*/{src,test,examples}/**/!(*.deep|*.package).test.ts',
    'native/**/!(*.deep|*.package).test.ts',
    'examples/**/*.test.ts',
  ],
  30_000,
)
