import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadWindowState, saveWindowState } from '../../../electron/main/window-state'

let dir: string
let path: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'netloupe-window-state-'))
  path = join(dir, 'window.json')
})

afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

const first = { width: 1280, height: 800, maximized: false }

describe('the window’s size', () => {
  it('is 1280 by 800 at first', () => {
    expect(loadWindowState(path)).toEqual(first)
  })

  it('comes back', () => {
    saveWindowState(path, { width: 900, height: 600, maximized: true })
    expect(loadWindowState(path)).toEqual({ width: 900, height: 600, maximized: true })
  })

  it.each([
    ['{"width": 1', first],
    ['[]', first],
    ['{"width": 10, "height": 600, "maximized": false}', { ...first, height: 600 }],
    ['{"width": 1e9, "height": "tall", "maximized": 1}', first],
  ])('is never one that cannot be handled: %s', (text, expected) => {
    writeFileSync(path, text)
    expect(loadWindowState(path)).toEqual(expected)
  })

  it('that cannot be saved harms nobody', () => {
    writeFileSync(join(dir, 'blocker'), '')
    expect(() => {
      saveWindowState(join(dir, 'blocker', 'window.json'), first)
    }).not.toThrow()
  })
})
