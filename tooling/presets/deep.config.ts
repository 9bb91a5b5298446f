/** Tests that take minutes, `*.deep.test.ts`: run by `npx pnpm test:deep`. */
import { suites } from './vitest.js'

export default suites(['{packages,tooling}/*/**/*.deep.test.ts', 'native/**/*.deep.test.ts'], 20 * 60_000)
