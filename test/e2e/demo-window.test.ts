/** The window alone, on the scripted helper of `npm run demo`: lists, keys and layout, without capture or privilege. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import { AppWindow, installApp } from '../lab/app'
import { Lab } from '../lab/lab'
import { createLabUser } from '../lab/lab-user'
import { describeWindow } from './support/describe-window'
import { drawnRows, lastDrawnRow, listedRows } from './support/rows'
import { pictureFailure, takeScreenshots } from './support/screenshots'

describeWindow('demo', () => {
  let lab: Lab
  let window: AppWindow
  let page: Page

  beforeAll(async () => {
    lab = await Lab.create()
    const user = await createLabUser(lab)
    const app = await installApp(lab, { capable: false })
    window = await AppWindow.launch(lab, await lab.host('alone'), app, { user, args: ['--demo'] })
    page = window.page
    await page.setViewportSize({ width: 1280, height: 800 })
  })
  afterEach((context) => pictureFailure(page, context))
  afterAll(() => lab.close())

  it('shows processes with rates, and a chart', async () => {
    await expect.poll(() => listedRows(page)).toBeGreaterThan(5)
    await expect.poll(() => page.getByRole('grid').first().textContent()).toMatch(/[1-9][\d.]*\s*[kM]B\/s/)
    expect(await page.locator('canvas').count()).toBeGreaterThan(0)
    await takeScreenshots(page, 'demo-processes')
  })

  it('sorts by any column, both ways', async () => {
    for (const name of ['Name', 'PID']) {
      const header = page.getByRole('columnheader', { name: new RegExp(name, 'i') }).first()
      await header.getByRole('button').first().click()
      const first = await header.getAttribute('aria-sort')
      expect(['ascending', 'descending']).toContain(first)
      await header.getByRole('button').first().click()
      await expect.poll(() => header.getAttribute('aria-sort')).toBe(first === 'ascending' ? 'descending' : 'ascending')
    }
  })

  it('draws only the rows on screen, however many there are', async () => {
    await page.getByRole('tab', { name: 'Connections' }).click()
    await expect.poll(() => listedRows(page)).toBeGreaterThan(200)
    expect(await drawnRows(page)).toBeLessThan(80)
    await page.getByRole('grid').first().focus()
    await page.keyboard.press('End')
    const last = await listedRows(page)
    await expect.poll(() => lastDrawnRow(page)).toBe(last)
    expect(await drawnRows(page)).toBeLessThan(80)
    await takeScreenshots(page, 'demo-connections')
  })

  it('marks itself as a demonstration', async () => {
    await expect.poll(() => page.getByRole('contentinfo').textContent()).toMatch(/demo/i)
  })

  it('names its parts for assistive technology', async () => {
    expect(await page.getByRole('tablist').count()).toBe(1)
    expect(await page.getByRole('tab').count()).toBeGreaterThanOrEqual(2)
    expect(await page.getByRole('tabpanel').count()).toBe(1)
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('button, input, [role=grid]')]
        .filter((element) => {
          const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : element.textContent
          return !(element.getAttribute('aria-label') ?? label ?? '').trim()
        })
        .map((element) => element.outerHTML.slice(0, 120)),
    )
    expect(nameless).toEqual([])
  })
})
