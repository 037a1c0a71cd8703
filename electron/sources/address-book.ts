/**
 * Everything that is known of an address without asking it: its kind, name, autonomous system and place.
 */
import type { Degraded } from '../shared/errors'
import type { AddressInfo, Place } from '../shared/trace'
import { addressKind } from './address-kind'
import { AutonomousSystems } from './autonomous-systems'
import { findDatabases } from './database-files'
import { Places } from './places'
import { ReverseNames, type Reverse } from './reverse-names'

export interface AddressBookOptions {
  /** Folders in which the databases may lie, in the order of preference. */
  databaseDirs: readonly string[]
  reverse: Reverse
  /** Whether names are asked for at first; see `asksForNames`. */
  reverseNames: boolean
  /** Something more is known of an address. */
  changed(address: string): void
}

/** Least recently asked go first. */
const maxKnown = 4096

interface Entry {
  asNumber: number | null
  asName: string
  place: Place | null
}

export class AddressBook {
  /** What is missing, for people. */
  readonly problems: Degraded[] = []
  /** False: nobody is asked, and no name is told. */
  asksForNames: boolean
  readonly #names: ReverseNames
  readonly #systems: AutonomousSystems | null
  readonly #places: Places
  readonly #known = new Map<string, Entry>()
  readonly #locating = new Set<Promise<void>>()

  constructor(private readonly options: AddressBookOptions) {
    const { files, missing } = findDatabases(options.databaseDirs)
    this.#places = new Places(files.city)
    this.#systems = this.#openSystems(files.asn)
    this.asksForNames = options.reverseNames
    this.#names = new ReverseNames(options.reverse, () => performance.now(), options.changed)
    if (missing.includes('city'))
      this.#miss('noPlaceDatabase', 'Places of addresses are unknown: no database is installed.')
    if (missing.includes('asn')) this.#miss('noAsDatabase', 'AS numbers are unknown: no database is installed.')
  }

  /** What is known now; what comes later is told through `changed`. */
  info(address: string): AddressInfo {
    const kind = addressKind(address)
    const isNamed = kind !== 'unspecified' && kind !== 'multicast' && kind !== 'broadcast' && kind !== 'reserved'
    return {
      address,
      kind,
      name: isNamed && this.asksForNames ? this.#names.nameOf(address) : '',
      ...(kind === 'public' ? this.#entry(address) : unknown),
    }
  }

  /** Settles when all that was asked for is known, or known to be unknown. */
  async settled(): Promise<void> {
    await Promise.all([this.#names.settled(), ...this.#locating])
  }

  close(): void {
    this.#systems?.close()
  }

  #entry(address: string): Entry {
    const known = this.#known.get(address)
    if (known !== undefined) {
      this.#known.delete(address)
      this.#known.set(address, known)
      return known
    }
    const entry: Entry = { ...(this.#systems?.find(address) ?? { asNumber: null, asName: '' }), place: null }
    this.#known.set(address, entry)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxKnown) break
      this.#known.delete(oldest)
    }
    const locating = this.#locate(address, entry)
    this.#locating.add(locating)
    void locating.finally(() => this.#locating.delete(locating))
    return entry
  }

  async #locate(address: string, entry: Entry): Promise<void> {
    try {
      entry.place = await this.#places.find(address)
    } catch (error) {
      this.#miss('badPlaceDatabase', `The database of places cannot be read: ${reasonOf(error)}.`)
    }
    if (entry.place !== null) this.options.changed(address)
  }

  #openSystems(files: Record<4 | 6, string | null>): AutonomousSystems | null {
    try {
      return new AutonomousSystems(files)
    } catch (error) {
      this.#miss('badAsDatabase', `The table of autonomous systems cannot be read: ${reasonOf(error)}.`)
      return null
    }
  }

  #miss(code: string, detail: string): void {
    if (this.problems.some((problem) => problem.code === code)) return
    this.problems.push({ code, detail, fix: 'Reinstall Netloupe; in a checkout: npm ci --ignore-scripts' })
  }
}

const unknown: Entry = { asNumber: null, asName: '', place: null }

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
