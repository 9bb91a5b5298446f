/** Links of a README, which are relative to its folder or lead to the repository, as links of the site. */
import { posix } from 'node:path'
import { PACKAGES } from './pages.js'
import { REPOSITORY_URL } from './repository.js'

const README_URL = `${REPOSITORY_URL}/tree/main/`
const FILE_URL = `${REPOSITORY_URL}/blob/main/`

/** The site's page that shows a file of the repository, where there is one. */
function pageOf(path: string): string | undefined {
  const [file = '', anchor] = path.split('#')
  const found = PACKAGES.find(({ folder }) => file === folder || file === `${folder}/README.md`)
  if (found) return `/reference/${found.name}${anchor && anchor !== 'readme' ? `#${anchor}` : ''}`
  if (file === 'packages/cli/docs/doctor.md') return '/reference/doctor'
  const protocol = /^packages\/(rdma-\w+)\/docs\/PROTOCOL\.md$/.exec(file)?.[1]
  return protocol && `/reference/protocol-${protocol}`
}

/**
 * @param markdown a file of the repository
 * @param folder its folder, from the repository's root
 */
export function rewriteLinks(markdown: string, folder: string): string {
  return markdown.replaceAll(/\]\(([^)\s]+)\)/g, (whole, target: string) => {
    if (target.startsWith('#')) return whole
    const url = [README_URL, FILE_URL].find((start) => target.startsWith(start))
    if (/^https?:/.test(target) && !url) return whole
    const path = url ? target.slice(url.length) : posix.join(folder, target)
    return `](${pageOf(path) ?? `${README_URL}${path}`})`
  })
}
