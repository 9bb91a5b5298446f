/** Writes what the site shows of the code: the reference pages, the API, and the texts for programs. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeApi } from './api.js'
import { llmsFull, llmsIndex } from './llms.js'
import { referencePages } from './reference.js'
import { PAGES } from './repository.js'

for (const folder of ['reference', 'api']) rmSync(join(PAGES, folder), { recursive: true, force: true })

function write(path: string, text: string): void {
  const file = join(PAGES, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

for (const [path, text] of referencePages()) write(`reference/${path}`, text)
await writeApi()
write('public/llms.txt', llmsIndex())
write('public/llms-full.txt', llmsFull())
