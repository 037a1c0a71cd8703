/**
 * Who runs an address: autonomous system number and name from the offline tables of @ip-location-db/asn, text files
 * sorted by address. They are searched where they lie: nothing is loaded, a look-up reads some twenty small pieces.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isIP } from 'node:net'
import { addressNumber } from './address-number'

export interface AutonomousSystem {
  asNumber: number
  asName: string
}

/** More than two of the longest lines (some 210 bytes), so that one whole line is in each piece. */
const pieceBytes = 1024

export class AutonomousSystems {
  readonly #tables: Record<4 | 6, SortedTable | null>

  /** @param files the tables per family; null: not there. Throws what `node:fs` throws for a file that cannot be opened. */
  constructor(files: Record<4 | 6, string | null>) {
    const open = (file: string | null): SortedTable | null => (file === null ? null : new SortedTable(file))
    this.#tables = { 4: open(files[4]), 6: open(files[6]) }
  }

  /** Null for addresses that nobody announces. */
  find(address: string): AutonomousSystem | null {
    const family = isIP(address)
    if (family === 0) return null
    const line = this.#tables[family === 4 ? 4 : 6]?.find(addressNumber(address)) ?? null
    return line === null ? null : { asNumber: Number(line.fields[2] ?? 0), asName: line.fields[3] ?? '' }
  }

  close(): void {
    this.#tables[4]?.close()
    this.#tables[6]?.close()
  }
}

interface Line {
  start: bigint
  end: bigint
  fields: string[]
  /** Where it begins in the file, and where the next one does. */
  from: number
  next: number
}

/** Lines of `first address,last address,...` in rising order. */
class SortedTable {
  readonly #fd: number
  readonly #bytes: number
  readonly #piece = Buffer.alloc(pieceBytes)

  constructor(file: string) {
    this.#fd = openSync(file, 'r')
    this.#bytes = fstatSync(this.#fd).size
  }

  /** The line whose range holds the address. */
  find(address: bigint): Line | null {
    let low = 0
    let high = this.#bytes
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const line = this.#lineAt(middle, low)
      // No line begins from the middle on.
      if (line === null || line.from >= high) high = middle
      else if (address < line.start) high = line.from
      else if (address > line.end) low = line.next
      else return line
    }
    return null
  }

  /** The first line that begins at `offset` or after; `lineStart` is known to be the beginning of one. */
  #lineAt(offset: number, lineStart: number): Line | null {
    const from = Math.max(lineStart, offset - 1)
    const read = readSync(this.#fd, this.#piece, 0, pieceBytes, from)
    const text = this.#piece.subarray(0, read)
    // One byte earlier, so that a line that begins exactly at the offset is not taken for the rest of another.
    const begin = offset === lineStart ? 0 : text.indexOf(0x0a) + 1
    if (begin === 0 && offset !== lineStart) return null
    const newline = text.indexOf(0x0a, begin)
    const end = newline < 0 ? text.length : newline
    if (end <= begin) return null
    return parseLine(text.toString('utf8', begin, end), from + begin, from + end + 1)
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function parseLine(text: string, from: number, next: number): Line | null {
  const fields = parseCsv(text)
  const [first = '', last = ''] = fields
  if (isIP(first) === 0 || isIP(last) === 0) return null
  return { start: addressNumber(first), end: addressNumber(last), fields, from, next }
}

/** The fields of one line, RFC 4180. */
function parseCsv(line: string): string[] {
  const fields: string[] = []
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('""', '"'))
  }
  return fields
}
