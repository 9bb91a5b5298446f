/** The site: dead links fail its build. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DefaultTheme, defineConfig } from 'vitepress'
import { withSnippets } from '../src/llms.js'
import { SECTIONS } from '../src/pages.js'
import { REPOSITORY_URL } from '../src/repository.js'

const apiSidebar = fileURLToPath(new URL('../pages/api/typedoc-sidebar.json', import.meta.url))
const sidebar: DefaultTheme.SidebarItem[] = SECTIONS.map(({ title, pages }) => ({
  text: title,
  items: pages.map((page) => ({ text: page.title, link: page.path })),
}))

export default defineConfig({
  title: 'netts',
  description: 'One interface for messages and bytes between Node.js processes, over TCP or RDMA verbs',
  // No icon: without this, browsers ask for /favicon.ico.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: 'pages',
  cleanUrls: true,
  ignoreDeadLinks: false,
  // Each page as Markdown beside it: what `llms.txt` lists.
  buildEnd({ pages, srcDir, outDir }) {
    for (const page of pages) {
      const file = join(outDir, page)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, withSnippets(readFileSync(join(srcDir, page), 'utf8')))
    }
  },
  markdown: { languageAlias: { mjs: 'js' } },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Errors', link: '/reference/errors' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: {
      '/': sidebar,
      '/api/': existsSync(apiSidebar)
        ? [
            { text: '← Guide', link: '/start' },
            ...(JSON.parse(readFileSync(apiSidebar, 'utf8')) as DefaultTheme.SidebarItem[]),
          ]
        : [],
    },
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: REPOSITORY_URL }],
  },
})
