import { defaultSettings, type Settings as SettingsValue } from '../../electron/shared/views'
import { api } from './api'

/** The user's settings, as main keeps them. */
class Settings {
  value = $state.raw<SettingsValue>(defaultSettings)

  async open(): Promise<void> {
    api.listen('settings', (value) => (this.value = value))
    this.value = await api.request('settings.get', null)
  }

  async set(change: Partial<SettingsValue>): Promise<void> {
    this.value = await api.request('settings.set', change)
  }
}

export const settings = new Settings()
