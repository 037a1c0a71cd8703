import { describe, expect, it } from 'vitest'
import { formatRtt } from '../../../electron/shared/units'

describe('a round-trip time', () => {
  it.each([
    [0, '0.00'],
    [0.042, '0.04'],
    [9.614, '9.61'],
    [9.996, '10.0'],
    [17.84, '17.8'],
    [99.96, '100'],
    [262.4, '262'],
  ])('of %d ms has three significant figures at most', (rttMs, text) => {
    expect(formatRtt(rttMs)).toBe(text)
  })
})
