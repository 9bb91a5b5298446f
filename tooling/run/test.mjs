/** `npm test`: every check there is, from a fresh clone on. */
import { buildAddon } from './addon.mjs'
import { bootstrap, runTypeScript } from './bootstrap.mjs'
import { installMissing } from './debian.mjs'

/** The browser in which the benchmark's report is tested: any that its test finds, else Debian's. */
const BROWSER = [{ debian: 'chromium', files: ['/usr/bin/chromium', '/usr/bin/google-chrome'] }]

await bootstrap()
if (!(await buildAddon())) process.exit(1)
if (!process.env.CHROMIUM_PATH) await installMissing(BROWSER, 'to test the benchmark’s report in')
process.exitCode = await runTypeScript('tooling/run/src/test/main.ts', process.argv.slice(2))
