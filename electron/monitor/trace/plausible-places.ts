/**
 * Which places cannot be true. A packet moves through fibre at two thirds of the speed of light at most, so an answer
 * after t ms comes from within 100 km times t of here. Where "here" is nobody knows; but two places that
 * are farther apart than both their circles together reach cannot both be right.
 */
import type { AddressInfo, Place, TraceHop } from '../../shared/trace'

/** 2/3 of 299 792 km/s, there and back: km per ms of round-trip time. */
const reachKmPerMs = (299.792 * 2) / 3 / 2

const earthRadiusKm = 6371

/** Databases name the middle of a city or a region; a place is not wrong for being that much off. */
const toleranceKm = 100

interface Located {
  address: string
  ttl: number
  place: Place
  reachKm: number
}

/** Great-circle distance. */
export function distanceKm(a: Pick<Place, 'latitude' | 'longitude'>, b: Pick<Place, 'latitude' | 'longitude'>): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const sinLatitude = Math.sin(radians(b.latitude - a.latitude) / 2)
  const sinLongitude = Math.sin(radians(b.longitude - a.longitude) / 2)
  const h = sinLatitude ** 2 + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * sinLongitude ** 2
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)))
}

/**
 * The addresses whose place the round-trip times rule out: of those that contradict each other, the ones that
 * contradict most others; between equals the farther hop, whose place says less about here.
 */
export function implausiblePlaces(
  hops: readonly TraceHop[],
  addresses: Readonly<Record<string, AddressInfo>>,
): string[] {
  let located = locatedAddresses(hops, addresses)
  const ruledOut: string[] = []
  for (;;) {
    let worst: Located | null = null
    let worstCount = 0
    for (const one of located) {
      const count = located.filter((other) => contradict(one, other)).length
      if (count > worstCount || (count === worstCount && count > 0 && worst !== null && one.ttl > worst.ttl)) {
        worst = one
        worstCount = count
      }
    }
    if (worst === null) return ruledOut
    const { address } = worst
    ruledOut.push(address)
    located = located.filter((one) => one.address !== address)
  }
}

function contradict(a: Located, b: Located): boolean {
  return distanceKm(a.place, b.place) > a.reachKm + b.reachKm + toleranceKm
}

/** Each address once, with the shortest time that it ever answered in. */
function locatedAddresses(hops: readonly TraceHop[], addresses: Readonly<Record<string, AddressInfo>>): Located[] {
  const located = new Map<string, Located>()
  for (const { ttl, addresses: answering } of hops) {
    for (const { address, bestMs } of answering) {
      const place = addresses[address]?.place
      if (!place || bestMs === null) continue
      const reachKm = Math.min(bestMs * reachKmPerMs, located.get(address)?.reachKm ?? Infinity)
      located.set(address, { address, ttl: located.get(address)?.ttl ?? ttl, place, reachKm })
    }
  }
  return [...located.values()]
}
