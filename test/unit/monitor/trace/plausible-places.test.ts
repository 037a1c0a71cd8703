import { describe, expect, it } from 'vitest'
import { distanceKm, implausiblePlaces } from '../../../../electron/monitor/trace/plausible-places'
import type { AddressInfo, Place, TraceHop } from '../../../../electron/shared/trace'

const cities = {
  frankfurt: [50.11, 8.68],
  amsterdam: [52.37, 4.9],
  newYork: [40.71, -74.01],
  sydney: [-33.87, 151.21],
} as const

function place(city: keyof typeof cities): Place {
  const [latitude, longitude] = cities[city]
  return { city, region: '', countryCode: '', country: '', latitude, longitude, isPlausible: true }
}

/** One hop per entry: where its address is said to be, and the best time. */
function ruledOut(path: [city: keyof typeof cities | null, bestMs: number | null][]): string[] {
  const addresses: Record<string, AddressInfo> = {}
  const hops = path.map(([city, bestMs], index) => {
    const address = `${city}${index + 1}`
    addresses[address] = { address, kind: 'public', name: '', asNumber: null, asName: '', place: city && place(city) }
    return { ttl: index + 1, addresses: [{ address, bestMs }] } as unknown as TraceHop
  })
  return implausiblePlaces(hops, addresses)
}

describe('distances', () => {
  it.each([
    ['frankfurt', 'amsterdam', 364],
    ['frankfurt', 'newYork', 6206],
    ['newYork', 'sydney', 15_989],
  ] as const)('from %s to %s', (from, to, km) => {
    expect(Math.abs(distanceKm(place(from), place(to)) - km)).toBeLessThan(km * 0.005 + 1)
  })
})

describe('places that the times rule out', () => {
  it('are none on a path that light can follow', () => {
    // 6206 km there and back at 2/3 c take 62 ms.
    expect(
      ruledOut([
        ['frankfurt', 9],
        ['amsterdam', 15],
        ['newYork', 88],
      ]),
    ).toEqual([])
  })

  it('are those that are too far for their time', () => {
    expect(
      ruledOut([
        ['frankfurt', 9],
        ['newYork', 15],
        ['amsterdam', 16],
      ]),
    ).toEqual(['newYork2'])
    expect(
      ruledOut([
        ['frankfurt', 1],
        ['newYork', 55],
      ]),
    ).toEqual(['newYork2'])
  })

  it('are the odd one out, wherever it stands on the path', () => {
    expect(
      ruledOut([
        ['sydney', 2],
        ['frankfurt', 9],
        ['amsterdam', 15],
      ]),
    ).toEqual(['sydney1'])
  })

  it('are the farther hop when two contradict each other', () => {
    expect(
      ruledOut([
        ['frankfurt', 9],
        ['sydney', 9],
      ]),
    ).toEqual(['sydney2'])
  })

  it('are not looked for without a place or a time', () => {
    expect(
      ruledOut([
        [null, 1],
        ['sydney', null],
        ['frankfurt', 2],
      ]),
    ).toEqual([])
    expect(ruledOut([['sydney', 2]])).toEqual([])
  })
})
