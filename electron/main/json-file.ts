/**
 * Small JSON files that survive a crash in the middle of writing them.
 */
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

export type JsonFile = { state: 'missing' } | { state: 'read'; value: unknown } | { state: 'broken'; why: string }

/** Never throws: a file that cannot be read or parsed is `broken`. */
export function readJsonFile(path: string): JsonFile {
  try {
    return { state: 'read', value: JSON.parse(readFileSync(path, 'utf8')) }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { state: 'missing' }
    return { state: 'broken', why: error instanceof Error ? error.message : String(error) }
  }
}

/** Replaces the file in one step: readers see the old or the new content, also after a power cut. Throws what `node:fs` throws. */
export function writeJsonFile(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.new`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
}

/** Copies a broken file beside itself, so that nothing of the user's is lost, and gives the copy's path. */
export function setAside(path: string, nowMs: number): string {
  const copy = `${path}.broken-${new Date(nowMs).toISOString().replaceAll(':', '-')}`
  copyFileSync(path, copy)
  return copy
}
