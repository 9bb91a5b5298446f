/** Checks of what is published, `*.package.test.ts`: they need the build. */
import { suites } from './vitest.js'

export default suites(['{packages,tooling}/*/**/*.package.test.ts', 'native/**/*.package.test.ts'], 180_000)
