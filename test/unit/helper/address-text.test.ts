import { SocketAddress } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressText } from '../../../electron/helper/address-text'

function groups(bytes: Uint8Array): string {
  const words: string[] = []
  for (let at = 0; at < 16; at += 2) words.push((((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16))
  return words.join(':')
}

describe('addressText', () => {
  it('writes IPv6 as the system does', () => {
    // Zeros are likely, so that every way of shortening them occurs.
    const byte = fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ max: 255, min: 0 }) },
    )
    fc.assert(
      fc.property(fc.array(byte, { minLength: 16, maxLength: 16 }), (array) => {
        const bytes = Uint8Array.from(array)
        // The C library also writes ::1.2.3.4 for the long-deprecated compatible addresses; RFC 5952 does not ask for it.
        fc.pre(bytes.subarray(0, 12).some((value) => value !== 0))
        const { address } = new SocketAddress({ address: groups(bytes), family: 'ipv6' })
        expect(addressText(bytes, 0, 6)).toBe(address)
      }),
    )
  })

  it.each([
    ['::', new Array<number>(16).fill(0)],
    ['::1', [...new Array<number>(15).fill(0), 1]],
    ['::ffff:192.0.2.1', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1]],
    ['2001:db8:0:1:1:1:1:1', [0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]],
  ])('writes %s', (text, bytes) => {
    expect(addressText(Uint8Array.from(bytes), 0, 6)).toBe(text)
  })

  it('reads IPv4 from the first four bytes, and nothing for other families', () => {
    const bytes = Uint8Array.from([9, 192, 0, 2, 255, 7])
    expect(addressText(bytes, 1, 4)).toBe('192.0.2.255')
    expect(addressText(bytes, 1, 0)).toBe('')
  })
})
