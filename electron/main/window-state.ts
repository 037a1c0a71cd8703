/**
 * The size that the user gave the window, kept from one start to the next. Not its position: Wayland does not tell it,
 * and on X11 the window manager places windows better than a stale number.
 */
import * as v from 'valibot'
import { readJsonFile, writeJsonFile } from './json-file'

export const minimumSize = { width: 720, height: 480 }
const defaultState = { width: 1280, height: 800, maximized: false }

export type WindowState = typeof defaultState

/** No screen is larger; a damaged file must not make a window that cannot be handled. */
const largest = 16_384
const side = (least: number, otherwise: number) =>
  v.fallback(v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(largest)), otherwise)
const stateSchema = v.fallback(
  v.object({
    width: side(minimumSize.width, defaultState.width),
    height: side(minimumSize.height, defaultState.height),
    maximized: v.fallback(v.boolean(), defaultState.maximized),
  }),
  defaultState,
)

export function loadWindowState(path: string): WindowState {
  const file = readJsonFile(path)
  return v.parse(stateSchema, file.state === 'read' ? file.value : null)
}

/** A size that cannot be saved is not worth a word to the user. */
export function saveWindowState(path: string, state: WindowState): void {
  try {
    writeJsonFile(path, state)
  } catch {
    return
  }
}
