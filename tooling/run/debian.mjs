/**
 * What the repository's commands need of Debian's packages: installed as root where there is apt. Elsewhere nothing
 * happens, and whoever needs what is missing says so.
 */
import { existsSync } from 'node:fs'
import { run } from './bootstrap.mjs'

/** Waits for another apt, and asks a mirror that does not answer again. */
const PATIENCE = ['--quiet=2', '--option=DPkg::Lock::Timeout=300', '--option=Acquire::Retries=3']

/**
 * Installs what is not there yet.
 * @param wanted packages by name (`debian`), each with the files (`files`) of which one shows that it is not needed
 * @param purpose what they are for, said when something is installed
 */
export async function installMissing(wanted, purpose) {
  const missing = wanted.filter(({ files }) => !files.some((file) => existsSync(file)))
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return
  const names = missing.map(({ debian }) => debian)
  console.error(`Installing ${names.join(' and ')} ${purpose}…`)
  // In runlevel 1 nothing that is installed is started.
  const environment = ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1']
  const apt = (...words) => run('env', [...environment, 'apt-get', ...PATIENCE, ...words], 'ignore')
  const install = () => apt('install', '--yes', '--no-install-recommends', ...names)
  if ((await install()) === 0) return
  await apt('update')
  await install()
}
