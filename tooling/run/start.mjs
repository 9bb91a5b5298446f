/** `npm start`: the main job made visible, from a fresh clone on. */
import { bootstrap, runTypeScript } from './bootstrap.mjs'

await bootstrap()
process.exitCode = await runTypeScript('tooling/run/src/demo/main.ts', process.argv.slice(2))
