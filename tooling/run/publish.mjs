/**
 * Publishes tarballs that the registry does not have yet, and makes a release of each with its bills of materials: the
 * last step of the release workflow. It needs no dependencies, so that nothing else runs where the right to publish is.
 *
 *     node tooling/run/publish.mjs FOLDER [--dry-run]
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'dry-run': { type: 'boolean' } },
})
const [folder] = positionals
if (folder === undefined) throw new Error('usage: publish.mjs FOLDER [--dry-run]')

const files = readdirSync(folder)
const manifests = files
  .filter((file) => file.endsWith('.tgz'))
  .map((file) => {
    const tarball = join(folder, file)
    const text = execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' })
    const { name, version, dependencies = {} } = JSON.parse(text)
    return { tarball, name, version, needs: Object.keys(dependencies) }
  })

/** Dependencies first: a package that is there can be installed at once. */
function inOrder(waiting) {
  if (waiting.length === 0) return []
  const ready = waiting.filter(({ needs }) => !waiting.some(({ name }) => needs.includes(name)))
  if (ready.length === 0) throw new Error(`${waiting.map(({ name }) => name).join(', ')} need each other`)
  return [...ready, ...inOrder(waiting.filter((each) => !ready.includes(each)))]
}

/** Whether the registry has that version. @throws when it does not answer */
function isPublished(name, version) {
  const { status, stdout, stderr } = spawnSync('npm', ['view', `${name}@${version}`, 'version'], {
    encoding: 'utf8',
  })
  if (status === 0) return stdout.trim() !== ''
  if (/E404/.test(stderr)) return false
  throw new Error(`the registry was not to be asked for ${name}@${version}: ${stderr}`)
}

for (const { tarball, name, version } of inOrder(manifests)) {
  if (isPublished(name, version)) {
    console.log(`${name}@${version} is published already`)
    continue
  }
  const flags = values['dry-run'] ? ['--dry-run', '--provenance=false'] : ['--provenance']
  execFileSync('npm', ['publish', tarball, '--access', 'public', '--loglevel=error', ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (!values['dry-run']) {
    const prefix = `${name.replace('@', '').replace('/', '-')}.`
    const bills = files.filter((file) => file.startsWith(prefix)).map((file) => join(folder, file))
    const title = `${name}@${version}`
    execFileSync(
      'gh',
      ['release', 'create', title, '--title', title, '--generate-notes', tarball, ...bills],
      {
        stdio: 'inherit',
      },
    )
  }
  console.log(`${name}@${version} ${values['dry-run'] ? 'would be' : 'is'} published`)
}
