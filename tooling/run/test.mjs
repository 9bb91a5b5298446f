/** `npm test`: every check there is, from a fresh clone on. */
import { bootstrap, runTypeScript } from './bootstrap.mjs'

await bootstrap()
process.exitCode = await runTypeScript('tooling/run/src/test/main.ts', process.argv.slice(2))
