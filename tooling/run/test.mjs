/** `npm test`: every check there is, from a fresh clone on. */
import { buildAddon } from './addon.mjs'
import { bootstrap, runTypeScript } from './bootstrap.mjs'
import { installMissing } from './debian.mjs'

/** The browser in which the benchmark's report is tested: any that its test finds, else Debian's. */
const BROWSER = [{ debian: 'chromium', files: ['/usr/bin/chromium', '/usr/bin/google-chrome'] }]

/** Servers whose clients are tested over streams: each test starts its own, on a Unix socket. */
const SERVERS = [
  {
    debian: 'postgresql',
    files: ['/usr/lib/postgresql/15/bin/postgres', '/usr/lib/postgresql/17/bin/postgres'],
  },
  { debian: 'redis-server', files: ['/usr/bin/redis-server'] },
  { debian: 'mariadb-server', files: ['/usr/sbin/mariadbd'] },
  { debian: 'mosquitto', files: ['/usr/sbin/mosquitto'] },
]

/** What scrapes metrics, and the shells that the command's completion is for. */
const OBSERVERS_AND_SHELLS = [
  { debian: 'prometheus', files: ['/usr/bin/prometheus'] },
  { debian: 'bash-completion', files: ['/usr/share/bash-completion/bash_completion'] },
  { debian: 'fish', files: ['/usr/bin/fish'] },
  { debian: 'zsh', files: ['/usr/bin/zsh', '/bin/zsh'] },
]

await bootstrap()
if (!(await buildAddon())) process.exit(1)
if (!process.env.CHROMIUM_PATH) await installMissing(BROWSER, 'to test the benchmark’s report in')
await installMissing(SERVERS, 'to test their clients with')
await installMissing(OBSERVERS_AND_SHELLS, 'to test metrics and completion with')
process.exitCode = await runTypeScript('tooling/run/src/test/main.ts', process.argv.slice(2))
