/** `npm start`: the main job made visible, from a fresh clone on. */
import { buildAddon } from './addon.mjs'
import { bootstrap, runTypeScript } from './bootstrap.mjs'

await bootstrap()
// Without it, the rows of the table that need RDMA say so.
await buildAddon()
process.exitCode = await runTypeScript('tooling/run/src/demo/main.ts', process.argv.slice(2))
