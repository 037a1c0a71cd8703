import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { TestContext } from 'vitest'
import { paths } from '../../lab/paths'

const directory = join(paths.testResults, 'screenshots')

/** The window as it opens, and the smallest that it may be made. */
const sizes = [
  { width: 1280, height: 800 },
  { width: 900, height: 600 },
]

/** A picture of what a failed test saw; for `afterEach`. */
export async function pictureFailure(page: Page, { task }: TestContext): Promise<void> {
  if (task.result?.state !== 'fail') return
  mkdirSync(directory, { recursive: true })
  await page.screenshot({ path: join(directory, `failed-${task.name.replaceAll(/\W+/g, '-')}.png`) })
}

/** Pictures of the page as it is, for people to look at: light and dark, usual and small. */
export async function takeScreenshots(page: Page, name: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    for (const size of sizes) {
      await page.setViewportSize(size)
      await page.screenshot({ path: join(directory, `${name}-${colorScheme}-${size.width}x${size.height}.png`) })
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(sizes[0] ?? { width: 1280, height: 800 })
}
