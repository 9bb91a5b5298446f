import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scenarios } from '../plan.js'
import { findBrowser, openBrowser } from './browser.js'
import { renderHtml } from './html.js'
import { sampleReport } from './sample-report.js'

const executablePath = findBrowser()
const skip = executablePath === undefined && process.env.CI !== 'true'
const reason = skip ? ' (skipped: install chromium, or set CHROMIUM_PATH)' : ''

describe.skipIf(skip)(`the HTML report in a real browser${reason}`, () => {
  let browser: Browser
  let folder: string
  let url: string
  const complaints: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'netts-bench-'))
    const path = join(folder, 'report.html')
    await writeFile(path, await renderHtml(sampleReport()))
    url = pathToFileURL(path).href
    if (!executablePath) throw new Error('there is no browser: install chromium, or set CHROMIUM_PATH')
    browser = await openBrowser(executablePath)
  })

  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true, force: true })
  })

  async function open(options: BrowserContextOptions): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage()
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('request', (request) => {
      if (request.url() !== url && !request.url().startsWith('data:'))
        complaints.push(`asks for ${request.url()}`)
    })
    await page.goto(url)
    return page
  }

  test('draws charts for every scenario, complains of nothing and loads nothing', async () => {
    const page = await open({ viewport: { width: 1280, height: 900 } })
    for (const { id, title } of scenarios) {
      const section = page.locator(`section#${id}`)
      expect(await section.locator('h2').textContent()).toBe(title)
      expect(await section.locator('.chart svg path').count(), id).toBeGreaterThan(5)
    }
    expect(await page.locator('#round-trip .chart svg').count()).toBe(3)
    expect(await page.locator('#round-trip details').textContent()).toContain('@netts/tcp')
    expect(complaints).toEqual([])
  })

  test('shows another point when it is chosen', async () => {
    const page = await open({ viewport: { width: 1280, height: 900 } })
    const curve = page.locator('#round-trip .chart svg').nth(2)
    const before = await curve.innerHTML()
    await page.locator('#round-trip select').selectOption({ label: '1 MiB' })
    expect(await curve.innerHTML()).not.toBe(before)
  })

  test('fits a phone: nothing is wider than the screen', async () => {
    const page = await open({ viewport: { width: 375, height: 700 }, isMobile: true, deviceScaleFactor: 2 })
    const widths = await page.evaluate(() => ({
      page: document.documentElement.scrollWidth,
      charts: [...document.querySelectorAll('.chart svg')].map((svg) => svg.getBoundingClientRect().width),
    }))
    expect(widths.page).toBeLessThanOrEqual(375)
    expect(Math.max(...widths.charts)).toBeLessThanOrEqual(375)
    expect(Math.min(...widths.charts)).toBeGreaterThan(250)
  })

  test('follows the light and the dark scheme, charts included, while it is open', async () => {
    const page = await open({ colorScheme: 'light' })
    const look = () =>
      page.evaluate(() => ({
        background: getComputedStyle(document.body).backgroundColor,
        label: document.querySelector('.chart svg text')?.getAttribute('fill'),
      }))
    const light = await look()
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect.poll(async () => (await look()).label).not.toBe(light.label)
    expect((await look()).background).not.toBe(light.background)
  })
})
