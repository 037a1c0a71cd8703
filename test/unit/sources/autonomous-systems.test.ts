import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addressNumber } from '../../../electron/sources/address-number'
import { AutonomousSystems } from '../../../electron/sources/autonomous-systems'

const rows4 = [
  '1.0.0.0,1.0.0.255,13335,"Cloudflare, Inc."',
  '1.0.4.0,1.0.7.255,38803,Gtelecom Pty Ltd',
  '8.8.8.0,8.8.8.255,15169,Google LLC',
  '9.9.9.9,9.9.9.9,19281,"Quad9, ""the nines"""',
  '223.255.254.0,223.255.254.255,55415,Marina Bay Sands Pte Ltd',
]
const rows6 = [
  '2001:200::,2001:200:1b9:ffff:ffff:ffff:ffff:ffff,2500,WIDE Project',
  '2606:4700::,2606:4700:ffff:ffff:ffff:ffff:ffff:ffff,13335,"Cloudflare, Inc."',
]

let dir: string
let systems: AutonomousSystems

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'netloupe-asn-'))
  writeFileSync(join(dir, '4.csv'), `${rows4.join('\n')}\n`)
  // The last line of a file may lack its end.
  writeFileSync(join(dir, '6.csv'), rows6.join('\n'))
  systems = new AutonomousSystems({ 4: join(dir, '4.csv'), 6: join(dir, '6.csv') })
})
afterAll(() => {
  systems.close()
  rmSync(dir, { recursive: true })
})

describe('who runs an address', () => {
  it.each([
    ['1.0.0.0', 13335, 'Cloudflare, Inc.'],
    ['1.0.0.255', 13335, 'Cloudflare, Inc.'],
    ['1.0.5.77', 38803, 'Gtelecom Pty Ltd'],
    ['9.9.9.9', 19281, 'Quad9, "the nines"'],
    ['223.255.254.255', 55415, 'Marina Bay Sands Pte Ltd'],
    ['2001:200:1b9::1', 2500, 'WIDE Project'],
    ['2606:4700:4700::1111', 13335, 'Cloudflare, Inc.'],
  ])('finds %s', (address, asNumber, asName) => {
    expect(systems.find(address)).toEqual({ asNumber, asName })
  })

  it.each(['0.0.0.0', '1.0.1.0', '9.9.9.8', '9.9.9.10', '223.255.255.0', '::1', '2001:200:1ba::', 'example.org', ''])(
    'knows nobody for %j',
    (address) => {
      expect(systems.find(address)).toBeNull()
    },
  )

  it('finds both ends of every range of a long table', () => {
    const count = 700
    const range = (index: number) => [`10.${index >> 8}.${index & 255}.8`, `10.${index >> 8}.${index & 255}.200`]
    const text = Array.from({ length: count }, (_, index) => `${range(index).join(',')},${index + 1},AS ${index}\n`)
    writeFileSync(join(dir, 'long.csv'), text.join(''))
    const long = new AutonomousSystems({ 4: join(dir, 'long.csv'), 6: null })
    for (let index = 0; index < count; index += 1) {
      for (const address of range(index)) expect(long.find(address)?.asNumber).toBe(index + 1)
      expect(long.find(`10.${index >> 8}.${index & 255}.7`)).toBeNull()
      expect(long.find(`10.${index >> 8}.${index & 255}.201`)).toBeNull()
    }
    expect(long.find('2001:200::1')).toBeNull()
    long.close()
  })
})

describe('an address as a number', () => {
  it.each([
    ['0.0.0.0', 0n],
    ['1.2.3.4', 0x01020304n],
    ['255.255.255.255', 0xffffffffn],
    ['::', 0n],
    ['::1', 1n],
    ['1::', 1n << 112n],
    ['2001:db8::ff00:42:8329', 0x20010db8000000000000ff0000428329n],
    ['::ffff:1.2.3.4', 0xffff01020304n],
    ['fe80::1%eth0', (0xfe80n << 112n) + 1n],
  ])('reads %s', (address, number) => {
    expect(addressNumber(address)).toBe(number)
  })
})

describe('the installed tables', () => {
  const installed = (name: string) =>
    new URL(`../../../node_modules/@ip-location-db/asn/${name}`, import.meta.url).pathname

  it('are sorted, so that every line is found by its own first address', () => {
    const files = { 4: installed('asn-ipv4.csv'), 6: installed('asn-ipv6.csv') }
    const tables = new AutonomousSystems(files)
    for (const file of [files[4], files[6]]) {
      const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
      for (let index = 0; index < lines.length; index += 997) {
        const [first = '', , asNumber] = (lines[index] ?? '').split(',')
        expect(tables.find(first)?.asNumber).toBe(Number(asNumber))
      }
    }
    tables.close()
  })
})
