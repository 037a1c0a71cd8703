import { describe, expect, it, vi } from 'vitest'
import { actionHandlers } from '../../../electron/main/ipc/handlers/actions'
import { helperHandlers } from '../../../electron/main/ipc/handlers/helper'
import { settingsHandlers } from '../../../electron/main/ipc/handlers/settings'
import type { SettingsStore } from '../../../electron/main/settings'
import { fail, succeed, type Outcome } from '../../../electron/shared/errors'
import type { Owner } from '../../../electron/shared/helper-messages'
import type { ActionResult } from '../../../electron/shared/ipc-schema'
import { defaultSettings, type Settings } from '../../../electron/shared/views'

const asker = { contentsId: 1 }

describe('the grant', () => {
  const restart = vi.fn<() => Promise<ActionResult>>(() => Promise.resolve({ ok: true }))

  it('starts the helper anew, which alone makes the capabilities count', async () => {
    restart.mockClear()
    const handlers = helperHandlers({ grant: () => Promise.resolve(succeed(null)), restart })
    expect(await handlers['helper.grant'](null, asker)).toEqual({ ok: true })
    expect(restart).toHaveBeenCalledTimes(1)
  })

  it('leaves the helper alone when it fails', async () => {
    restart.mockClear()
    const handlers = helperHandlers({ grant: () => Promise.resolve(fail('grantCancelled', 'Closed.')), restart })
    expect(await handlers['helper.grant'](null, asker)).toMatchObject({ failure: { code: 'grantCancelled' } })
    expect(restart).not.toHaveBeenCalled()
  })

  it('claims no success when the helper still may not capture', async () => {
    const still = fail('needsNetRaw', 'Capture needs cap_net_raw.')
    const handlers = helperHandlers({
      grant: () => Promise.resolve(succeed(null)),
      restart: () => Promise.resolve(still),
    })
    expect(await handlers['helper.grant'](null, asker)).toEqual(still)
  })

  it('asks for one password at a time, and again after it was answered', async () => {
    let answer: (outcome: Outcome<null>) => void = () => undefined
    const grant = vi.fn(() => new Promise<Outcome<null>>((resolve) => (answer = resolve)))
    const handlers = helperHandlers({ grant, restart })
    const first = handlers['helper.grant'](null, asker)
    expect(await handlers['helper.grant'](null, asker)).toMatchObject({ failure: { code: 'grantUnderWay' } })
    expect(grant).toHaveBeenCalledTimes(1)
    answer(fail('grantCancelled', 'Closed.'))
    await first
    void handlers['helper.grant'](null, asker)
    expect(grant).toHaveBeenCalledTimes(2)
  })
})

describe('ending a process', () => {
  it('acts on the owner that the monitor knows by that id', async () => {
    const owner = { pid: 12 } as Owner
    const endProcess = vi.fn<(owner: Owner | null, force: boolean) => ActionResult>(() => ({ ok: true }))
    const handlers = actionHandlers({
      owner: (ownerId) => (ownerId === 3 ? owner : null),
      endProcess,
      writeClipboard: () => undefined,
    })
    await handlers['process.end']({ ownerId: 3, force: true }, asker)
    await handlers['process.end']({ ownerId: 4, force: false }, asker)
    expect(endProcess.mock.calls).toEqual([
      [owner, true],
      [null, false],
    ])
  })
})

describe('changing settings', () => {
  it('puts them into effect with what was before', async () => {
    let current: Settings = defaultSettings
    const store = {
      get current() {
        return current
      },
      change: (changes: Partial<Settings>) => (current = { ...current, ...changes }),
    } as SettingsStore
    const onChange = vi.fn()
    const handlers = settingsHandlers(store, onChange)
    const changed = { ...defaultSettings, theme: 'dark' }
    expect(await handlers['settings.set']({ theme: 'dark' }, asker)).toEqual(changed)
    expect(onChange.mock.calls).toEqual([[changed, defaultSettings]])
    expect(await handlers['settings.get'](null, asker)).toEqual(changed)
  })
})
