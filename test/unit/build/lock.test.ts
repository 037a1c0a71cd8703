import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withLock } from '../../../build/bootstrap/lock.mjs'

let directory: string
let file: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'netloupe-lock-'))
  file = join(directory, 'lock')
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

it('lets one in at a time', async () => {
  let inside = 0
  let most = 0
  const work = async () => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise(setImmediate)
    inside -= 1
  }
  await Promise.all([withLock(file, work), withLock(file, work), withLock(file, work)])
  expect(most).toBe(1)
})

it('gives the result, and the lock back', async () => {
  expect(await withLock(file, () => Promise.resolve(7))).toBe(7)
  expect(existsSync(file)).toBe(false)
})

it('gives the lock back after a failure', async () => {
  await expect(withLock(file, () => Promise.reject(new Error('no compiler')))).rejects.toThrow('no compiler')
  expect(existsSync(file)).toBe(false)
})

it('takes over the lock of a process that has died', async () => {
  const child = spawn('true')
  await once(child, 'exit')
  writeFileSync(file, String(child.pid))
  expect(await withLock(file, () => Promise.resolve('mine'))).toBe('mine')
})
