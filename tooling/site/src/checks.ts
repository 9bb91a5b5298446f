/** What can be wrong with a page, found without building the site. */
import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { ROOT } from './repository.js'

const IN_REPOSITORY = /^https:\/\/github\.com\/netts\/netts(?:\/(?:tree|blob)\/main\/([^#]*))?/

/** The anchors that VitePress gives a page's headings. */
export function anchorsOf(markdown: string): Set<string> {
  const withoutCode = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '')
  const headings = [...withoutCode.matchAll(/^#{1,6} (.*)$/gm)].map(([, text]) =>
    text!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll('`', '')
      .toLowerCase()
      // As the slugs of @mdit-vue/shared.
      .replaceAll(/[\s~`!@#$%^&*()\-_+=[\]{}|\\;:"'“”‘’<>,.?/]+/g, '-')
      .replaceAll(/^-+|-+$/g, ''),
  )
  return new Set(headings)
}

/**
 * Links of a page that lead nowhere: to another page, to a heading, or to a file of this repository.
 * @param pages every page's text, by its path such as `/start`
 */
export function deadLinks(path: string, pages: ReadonlyMap<string, string>): string[] {
  const text = pages.get(path)!.replaceAll(/^```[\s\S]*?^```$/gm, '')
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|^ +link: (\S+)$/gm)].map(
    (match) => match[1] ?? match[2]!,
  )
  return targets.filter((target) => {
    const repository = IN_REPOSITORY.exec(target)
    if (repository) return !existsSync(join(ROOT, repository[1] ?? ''))
    if (/^https?:/.test(target)) return false
    const [file = '', anchor] = target.split('#')
    if (file.startsWith('/api')) return false
    const page = pages.get(file === '' ? path : posix.resolve(posix.dirname(path), file))
    return page === undefined || (anchor !== undefined && !anchorsOf(page).has(anchor))
  })
}

/** Blocks whose language says that a test runs or compiles them, and those for reading alone. */
const CHECKED = ['js', 'ts']
const MARKED = ['js no-run', 'ts no-run', 'sh', 'python', 'ini', 'dockerfile', '']

/** The languages of blocks of code that are neither checked nor marked. */
export function unmarkedBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```(.*)\n[\s\S]*?^```$/gm)]
    .map(([, language]) => language!)
    .filter((language) => ![...CHECKED, ...MARKED].includes(language))
}

/** Code that is indented instead of fenced: VitePress lets it be wider than a phone. */
export function indentedCode(markdown: string): string[] {
  const text = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').replace(/^---\n[\s\S]*?\n---\n/, '')
  return [...text.matchAll(/(?<=\n\n) {4}\S.*$/gm)].map(([line]) => line)
}

/** The files that a page shows as `<<< path`. */
export function snippets(markdown: string): string[] {
  return [...markdown.matchAll(/^<<< (\S+)$/gm)].map(([, path]) => path!)
}
