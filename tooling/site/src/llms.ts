/** `llms.txt` and `llms-full.txt`: the site for programs that read text (https://llmstxt.org). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SECTIONS } from './pages.js'
import { PAGES } from './repository.js'

const INTRODUCTION =
  '# netts\n\n> One interface for messages and bytes between Node.js processes, over TCP or RDMA verbs.\n'

/** The list of pages. */
export function llmsIndex(): string {
  const sections = SECTIONS.map(({ title, pages }) => {
    const lines = pages.map(
      (page) => `- [${page.title}](${page.path}${page.path.endsWith('/') ? 'index' : ''}.md)`,
    )
    return `## ${title}\n\n${lines.join('\n')}\n`
  })
  return `${INTRODUCTION}\n${sections.join('\n')}`
}

/** Every page but those of the API, as Markdown. */
export function llmsFull(): string {
  const pages = SECTIONS.flatMap((section) => section.pages).filter(({ path }) => !path.endsWith('/'))
  return [
    INTRODUCTION,
    ...pages.map(({ path }) => withSnippets(readFileSync(join(PAGES, `${path}.md`), 'utf8'))),
  ].join('\n\n')
}

/** Puts the files in place that a page includes as `<<< path`. */
export function withSnippets(markdown: string): string {
  return markdown.replace(/^---\n[\s\S]*?\n---\n+/, '').replaceAll(/^<<< (\S+)$/gm, (_, path: string) => {
    const language = path.slice(path.lastIndexOf('.') + 1)
    return `\`\`\`${language}\n${readFileSync(join(PAGES, path), 'utf8')}\`\`\``
  })
}
