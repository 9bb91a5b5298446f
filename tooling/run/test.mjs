/** `npm test`: every check there is, from a fresh clone on. */
import { buildAddon } from './addon.mjs'
import { bootstrap, runTypeScript } from './bootstrap.mjs'

await bootstrap()
if (!(await buildAddon())) process.exit(1)
process.exitCode = await runTypeScript('tooling/run/src/test/main.ts', process.argv.slice(2))
