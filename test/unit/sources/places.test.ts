import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { databaseDirs, findDatabases } from '../../../electron/sources/database-files'
import { Places } from '../../../electron/sources/places'

const outDir = fileURLToPath(new URL('../../../out', import.meta.url))

describe('places', () => {
  const { files, missing } = findDatabases(databaseDirs(outDir, null))
  const places = new Places(files.city)

  it('come from the installed databases', async () => {
    expect(missing).toEqual([])
    expect(await places.find('193.0.6.139')).toMatchObject({
      city: 'Amsterdam',
      countryCode: 'NL',
      country: 'Netherlands',
      isPlausible: true,
    })
    const place = await places.find('2001:67c:2e8:22::c100:68b')
    expect(place?.countryCode).toBe('NL')
  })

  it('are unknown for addresses that nobody has, and without a database', async () => {
    expect(await places.find('10.0.0.1')).toBeNull()
    expect(await places.find('example.org')).toBeNull()
    expect(await new Places({ 4: null, 6: null }).find('193.0.6.139')).toBeNull()
  })
})

describe('databases', () => {
  it('that are nowhere are named', () => {
    expect(findDatabases(['/nonexistent'])).toEqual({
      files: { city: { 4: null, 6: null }, asn: { 4: null, 6: null } },
      missing: ['city', 'asn'],
    })
  })

  it('of a package come before those of a checkout', () => {
    expect(databaseDirs('/app/out', '/app/resources')[0]).toBe('/app/resources/databases')
  })
})
