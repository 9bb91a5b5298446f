/** The site as readers see it: built, without a dead link, and looked at in a browser. */
import { execFileSync } from 'node:child_process'
import { createReadStream, existsSync, mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBrowser, openBrowser } from '@netts/bench/browser'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SECTIONS } from './pages.js'

const folder = fileURLToPath(new URL('..', import.meta.url))
const dist = join(folder, '.vitepress/dist')
/** Where pictures of the pages go, to be looked at. */
const pictures = process.env.NETTS_SITE_PICTURES
const executablePath = findBrowser()
const skip = executablePath === undefined && process.env.CI !== 'true'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
const DEVICES = {
  phone: { viewport: { width: 375, height: 700 }, isMobile: true },
  desktop: { viewport: { width: 1280, height: 900 } },
}

beforeAll(() => {
  // Dead links fail it, and so do declarations that typedoc cannot link.
  execFileSync('npx', ['pnpm', '--silent', 'run', 'site'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}, 600_000)

it('has every page, also as Markdown, and the lists for programs', () => {
  for (const { path } of SECTIONS.flatMap((section) => section.pages)) {
    const file = path.endsWith('/') ? `${path}index` : path
    for (const ending of ['.html', '.md'])
      expect(existsSync(join(dist, file + ending)), file + ending).toBe(true)
  }
  for (const file of ['llms.txt', 'llms-full.txt']) expect(existsSync(join(dist, file))).toBe(true)
})

describe.skipIf(skip)(
  `in a real browser${skip ? ' (skipped: install chromium, or set CHROMIUM_PATH)' : ''}`,
  () => {
    let browser: Browser
    let server: Server
    let origin = ''

    beforeAll(async () => {
      server = createServer((request, response) => {
        const path = new URL(request.url!, 'http://site').pathname
        const file = [path, `${path}.html`, `${path}index.html`]
          .map((candidate) => join(dist, candidate))
          .find((candidate) => extname(candidate) !== '' && existsSync(candidate))
        response.writeHead(file ? 200 : 404, { 'content-type': TYPES[extname(file ?? '')] ?? 'text/plain' })
        if (file) createReadStream(file).pipe(response)
        else response.end()
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      if (pictures) mkdirSync(pictures, { recursive: true })
      if (!executablePath) throw new Error('there is no browser: install chromium, or set CHROMIUM_PATH')
      browser = await openBrowser(executablePath)
    })
    afterAll(async () => {
      await browser?.close()
      server?.close()
    })

    it.each(
      (['phone', 'desktop'] as const).flatMap((device) =>
        (['light', 'dark'] as const).map((colorScheme) => ({ device, colorScheme })),
      ),
    )(
      'every page fits a $device in the $colorScheme scheme, and complains of nothing',
      async ({ device, colorScheme }) => {
        const context = await browser.newContext({ ...DEVICES[device], colorScheme })
        const page = await context.newPage()
        const complaints: string[] = []
        page.on('pageerror', (error) => complaints.push(error.message))
        page.on('console', (message) => {
          if (message.type() === 'error') complaints.push(message.text())
        })
        page.on('request', (request) => {
          if (!request.url().startsWith(origin)) complaints.push(`asks for ${request.url()}`)
        })
        for (const path of [
          '/',
          ...SECTIONS.flatMap((section) => section.pages.map((shown) => shown.path)),
        ]) {
          await page.goto(origin + path, { waitUntil: 'networkidle' })
          const { width, background } = (await page.evaluate(
            `({ width: document.documentElement.scrollWidth, background: getComputedStyle(document.body).backgroundColor })`,
          )) as { width: number; background: string }
          expect(width, path).toBeLessThanOrEqual(DEVICES[device].viewport.width)
          expect(background === 'rgb(255, 255, 255)', `${path}: ${background}`).toBe(colorScheme === 'light')
          if (pictures) {
            const name = `${path.replaceAll('/', '_')}-${device}-${colorScheme}.png`
            await page.screenshot({ path: join(pictures, name) })
          }
        }
        expect(complaints).toEqual([])
        await context.close()
      },
      300_000,
    )
  },
)
