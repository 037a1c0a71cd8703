import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { digest } from '../../../build/bootstrap/stamp.mjs'

let base: string
const inputs = ['Makefile', 'src']

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'netloupe-stamp-'))
  mkdirSync(join(base, 'src/deep'), { recursive: true })
  writeFileSync(join(base, 'Makefile'), 'all:')
  writeFileSync(join(base, 'src/deep/a.cpp'), 'int a;')
})

afterEach(() => {
  rmSync(base, { recursive: true, force: true })
})

it.each<[string, () => void]>([
  ['a content changes', () => writeFileSync(join(base, 'src/deep/a.cpp'), 'int b;')],
  ['a file is renamed', () => renameSync(join(base, 'src/deep/a.cpp'), join(base, 'src/deep/b.cpp'))],
  ['a file is added', () => writeFileSync(join(base, 'src/empty.cpp'), '')],
  ['a file goes', () => rmSync(join(base, 'Makefile'))],
])('changes when %s', (_, change) => {
  const before = digest(inputs, base)
  change()
  expect(digest(inputs, base)).not.toBe(before)
})

it('does not see times, nor files that are no input', () => {
  const before = digest(inputs, base)
  utimesSync(join(base, 'Makefile'), 1, 1)
  writeFileSync(join(base, 'README'), 'x')
  expect(digest(inputs, base)).toBe(before)
})
