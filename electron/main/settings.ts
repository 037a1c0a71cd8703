/**
 * The user's settings, kept as JSON. Members that this version does not know are kept as they are, so that going back
 * and forth between versions loses nothing.
 */
import * as v from 'valibot'
import type { Degraded } from '../shared/errors'
import { defaultSettings, type Settings } from '../shared/views'
import { readJsonFile, setAside, writeJsonFile } from './json-file'

const fileVersion = 1

/** A member with a bad value falls back to its default alone. */
const known: v.GenericSchema<unknown, Settings> = v.object({
  theme: v.fallback(v.picklist(['system', 'light', 'dark']), defaultSettings.theme),
  rateUnit: v.fallback(v.picklist(['byte', 'bit']), defaultSettings.rateUnit),
  unitSystem: v.fallback(v.picklist(['si', 'iec']), defaultSettings.unitSystem),
  loopback: v.fallback(v.boolean(), defaultSettings.loopback),
  reverseNames: v.fallback(v.boolean(), defaultSettings.reverseNames),
})

export class SettingsStore {
  #settings: Settings = defaultSettings
  #members: Record<string, unknown> = {}
  #loadProblem: Degraded | null = null
  #saveProblem: Degraded | null = null

  /** Reads `path`; a missing file means the defaults, a broken one is set aside and reported in `problems`. */
  constructor(
    private readonly path: string,
    nowMs: number,
  ) {
    const file = readJsonFile(path)
    if (file.state === 'missing') return
    if (file.state === 'read' && isObject(file.value)) {
      this.#members = file.value
      this.#settings = v.parse(known, file.value)
    } else {
      this.#loadProblem = recover(path, file.state === 'broken' ? file.why : 'It holds no object.', nowMs)
    }
  }

  get current(): Settings {
    return this.#settings
  }

  /** What is wrong with the file, for the user to read. */
  get problems(): Degraded[] {
    return [this.#loadProblem, this.#saveProblem].filter((problem) => problem !== null)
  }

  /** Applies and saves; settings that cannot be saved hold until the app ends, and `problems` says so. */
  change(changes: Partial<Settings>): Settings {
    this.#settings = { ...this.#settings, ...changes }
    this.#members = { version: fileVersion, ...this.#members, ...this.#settings }
    try {
      writeJsonFile(this.path, this.#members)
      this.#saveProblem = null
      this.#loadProblem = null
    } catch (error) {
      this.#saveProblem = {
        code: 'settingsNotSaved',
        detail: `The settings hold until Netloupe is closed; they cannot be saved (${error instanceof Error ? error.message : String(error)}).`,
        fix: `Make ${this.path} writable, then change a setting again.`,
      }
    }
    return this.#settings
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function recover(path: string, why: string, nowMs: number): Degraded {
  const detail = `The settings file cannot be read, the defaults are used. ${why}`
  try {
    const copy = setAside(path, nowMs)
    return { code: 'settingsBroken', detail, fix: `The old file is kept as ${copy}.` }
  } catch {
    return { code: 'settingsBroken', detail, fix: `Mend or remove ${path}.` }
  }
}
