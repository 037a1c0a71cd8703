/**
 * Tables for terminals: columns lined up, no lines drawn.
 */
import Table from 'cli-table3'
import { printable } from './output'

export interface Column<Row> {
  title: string
  align: 'left' | 'right'
  text(row: Row): string
  /** Longer text is cut. */
  maxWidth?: number
}

const none = ''
const borderless = {
  top: none,
  'top-mid': none,
  'top-left': none,
  'top-right': none,
  bottom: none,
  'bottom-mid': none,
  'bottom-left': none,
  'bottom-right': none,
  left: none,
  'left-mid': none,
  mid: none,
  'mid-mid': none,
  right: none,
  'right-mid': none,
  middle: '  ',
}

/** Lines without a line break at their end; `width` cuts them for a terminal. */
export function textTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width?: number): string[] {
  const table = new Table({
    head: columns.map(({ title }) => title),
    chars: borderless,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colAligns: columns.map(({ align }) => align),
  })
  for (const row of rows) {
    table.push(columns.map(({ text, maxWidth }) => cut(printable(text(row)), maxWidth)))
  }
  return table
    .toString()
    .split('\n')
    .map((line) => cut(line.trimEnd(), width))
}

function cut(text: string, width: number | undefined): string {
  return width === undefined || text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
