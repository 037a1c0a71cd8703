import type { Settings } from '../../../shared/views'
import type { SettingsStore } from '../../settings'
import type { Handlers } from '../router'

/** @param onChange puts changed settings into effect and tells every window. */
export function settingsHandlers(
  store: SettingsStore,
  onChange: (now: Settings, before: Settings) => void,
): Pick<Handlers, 'settings.get' | 'settings.set'> {
  return {
    'settings.get': () => store.current,
    'settings.set': (changes) => {
      const before = store.current
      const now = store.change(changes)
      onChange(now, before)
      return now
    },
  }
}
