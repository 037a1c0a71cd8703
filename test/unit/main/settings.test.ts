import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SettingsStore } from '../../../electron/main/settings'
import { defaultSettings } from '../../../electron/shared/views'

const nowMs = Date.UTC(2026, 10, 23, 12, 30)
let dir: string
let path: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'netloupe-settings-'))
  path = join(dir, 'settings.json')
})

afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

const saved = (): unknown => JSON.parse(readFileSync(path, 'utf8'))

describe('settings', () => {
  it('begin with the defaults and write nothing before something changes', () => {
    const store = new SettingsStore(path, nowMs)
    expect(store.current).toEqual(defaultSettings)
    expect(store.problems).toEqual([])
    expect(readdirSync(dir)).toEqual([])
  })

  it('come back after a restart', () => {
    new SettingsStore(path, nowMs).change({ theme: 'dark', loopback: true })
    expect(new SettingsStore(path, nowMs).current).toEqual({ ...defaultSettings, theme: 'dark', loopback: true })
    expect(saved()).toMatchObject({ version: 1 })
  })

  it('leave no half-written file and are the user’s alone', () => {
    new SettingsStore(path, nowMs).change({ theme: 'dark' })
    expect(readdirSync(dir)).toEqual(['settings.json'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('make their folder when it is missing', () => {
    const deep = join(dir, 'a', 'b', 'settings.json')
    new SettingsStore(deep, nowMs).change({ rateUnit: 'bit' })
    expect(new SettingsStore(deep, nowMs).current.rateUnit).toBe('bit')
  })

  it('keep members and the version number of a later version', () => {
    writeFileSync(path, JSON.stringify({ version: 9, theme: 'light', trayStyle: { bars: 2 } }))
    new SettingsStore(path, nowMs).change({ unitSystem: 'iec' })
    expect(saved()).toMatchObject({ version: 9, theme: 'light', unitSystem: 'iec', trayStyle: { bars: 2 } })
  })

  it('replace one bad value by its default and keep the rest', () => {
    writeFileSync(path, JSON.stringify({ theme: 'pink', rateUnit: 'bit', loopback: 'yes' }))
    expect(new SettingsStore(path, nowMs).current).toEqual({ ...defaultSettings, rateUnit: 'bit' })
  })

  it.each(['{"theme": "da', '', '[]', 'null', '"dark"'])('set a broken file aside: %j', (text) => {
    writeFileSync(path, text)
    const store = new SettingsStore(path, nowMs)
    expect(store.current).toEqual(defaultSettings)
    const copy = `${path}.broken-2026-11-23T12-30-00.000Z`
    expect(store.problems).toEqual([
      { code: 'settingsBroken', detail: expect.any(String), fix: expect.stringContaining(copy) },
    ])
    store.change({ theme: 'dark' })
    expect(readFileSync(copy, 'utf8')).toBe(text)
    expect(new SettingsStore(path, nowMs)).toMatchObject({ current: { theme: 'dark' }, problems: [] })
  })

  it('hold for the session and say so when they cannot be saved', () => {
    // A file in the folder's place stops root too, unlike a read-only folder.
    writeFileSync(join(dir, 'blocker'), '')
    const store = new SettingsStore(join(dir, 'blocker', 'settings.json'), nowMs)
    expect(store.change({ theme: 'dark' }).theme).toBe('dark')
    expect(store.current.theme).toBe('dark')
    expect(store.problems.map(({ code }) => code)).toContain('settingsNotSaved')
  })
})
