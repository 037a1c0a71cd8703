import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { verifyFiles } from '../../../build/bootstrap/electron-stand-in.mjs'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'netloupe-stand-in-'))
  writeFileSync(join(directory, 'electron'), 'abc')
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** SHA-1 of "abc", from FIPS 180-1. */
const sha1OfAbc = 'a9993e364706816aba3e25717850c26c9cd0d89d'

it('accepts the published file', async () => {
  await expect(verifyFiles(directory, { electron: sha1OfAbc })).resolves.toBeUndefined()
})

it('stops at a file that differs', async () => {
  writeFileSync(join(directory, 'electron'), 'abd')
  await expect(verifyFiles(directory, { electron: sha1OfAbc })).rejects.toThrow(/electron has SHA-1 cb4cc28d/)
})

it('stops at a file that is missing', async () => {
  await expect(verifyFiles(directory, { 'libffmpeg.so': sha1OfAbc })).rejects.toThrow(/libffmpeg\.so has SHA-1 no file/)
})
