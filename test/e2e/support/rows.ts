import type { Locator, Page } from 'playwright-core'

const factors: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9 }

/** Every figure in bytes per second that a text shows, in its order. */
export function ratesIn(text: string): number[] {
  return [...text.matchAll(/([\d.]+)\s*([kMG]?)B\/s/g)].map(
    ([, figure, prefix]) => Number(figure) * (factors[prefix ?? ''] ?? NaN),
  )
}

/** The rows of the list on screen that contain all of these texts. */
export function rowsWith(page: Page, ...texts: string[]): Locator {
  let rows = page.getByRole('grid').first().getByRole('row')
  for (const text of texts) rows = rows.filter({ hasText: text })
  return rows
}

/** Grid rows in the page, the header among them. */
export function drawnRows(page: Page): Promise<number> {
  return page.getByRole('grid').first().getByRole('row').count()
}

/** Rows that the list has in all, the header among them. */
export async function listedRows(page: Page): Promise<number> {
  return Number(await page.getByRole('grid').first().getAttribute('aria-rowcount'))
}

/** Largest row number among the rows in the page; the header is 1. */
export async function lastDrawnRow(page: Page): Promise<number> {
  const indexes = await page
    .getByRole('grid')
    .first()
    .locator('[role=row][aria-rowindex]')
    .evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('aria-rowindex'))))
  return Math.max(...indexes)
}
