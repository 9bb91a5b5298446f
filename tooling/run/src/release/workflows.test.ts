/** The workflow files are what the forge takes, every action in them is pinned, and one job alone may publish. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { validateWorkflow } from '@action-validator/core'
import { describe, expect, it } from 'vitest'
import { root } from '../packages/workspace.js'

const folder = join(root, '.github/workflows')
const files = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))

describe.each(files)('$name', ({ text }) => {
  it('follows the schema of workflows', () => {
    expect(validateWorkflow(text).errors).toEqual([])
  })

  it('uses actions by the hash of a commit, and workflows of this repository', () => {
    const uses = [...text.matchAll(/uses: (.*)$/gm)].map((match) => match[1]!)
    expect(uses.length).toBeGreaterThan(0)
    for (const used of uses)
      expect(used).toMatch(/^(actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\.\/\.github\/.*)$/)
  })

  it('gives no right to a job that does not name it', () => {
    expect(text).toMatch(/^permissions:( \{\}|\n {2}contents: read\n(?! ))/m)
  })
})

it('the right to publish is with the last job of the release alone', () => {
  const jobs = files.flatMap(({ text }) => text.split(/^ {2}(?=[\w-]+:$)/m))
  const publishing = jobs.filter((job) => job.includes('id-token: write'))
  expect(publishing).toHaveLength(1)
  expect(publishing[0]).toMatch(/^publish:\n {4}needs: check\n/)
  // It installs no dependencies: nothing but this repository's own script runs there.
  expect(publishing[0]).not.toMatch(/pnpm|npm (install|ci)|npx/)
})
