import type { MapArc, MapPlace } from '../../map/map-place'
import type { TraceView } from '../../../electron/shared/trace'
import type { Stop } from './trace-focus.svelte'

export interface LocatedPath {
  places: LocatedPlace[]
  arcs: MapArc[]
}

/** Where one or more hops stand. */
export interface LocatedPlace extends MapPlace {
  stops: Stop[]
}

/** More comes from a forger, who could cover the map with marks. */
const maxAddressesPerHop = 24

/**
 * The hops that have a place, those at the same one together, and the ways between them, flow by flow. Hops without a place
 * are passed over; a place that cannot be true is no stop of any way.
 */
export function locatePath({ hops, addresses, destination }: TraceView): LocatedPath {
  const places = new Map<string, LocatedPlace>()
  const idByAddress = new Map<string, string>()
  for (const hop of hops) {
    for (const { address } of hop.addresses.slice(0, maxAddressesPerHop)) {
      const place = addresses[address]?.place
      if (place === null || place === undefined) continue
      const { longitude, latitude, isPlausible } = place
      const id = `${longitude.toFixed(2)} ${latitude.toFixed(2)} ${isPlausible}`
      if (isPlausible) idByAddress.set(address, id)
      const known = places.get(id)
      if (known === undefined) {
        const name = place.city === '' ? place.country : place.city
        const isEnd = address === destination
        places.set(id, {
          id,
          longitude,
          latitude,
          name,
          isPlausible,
          isEnd,
          numbers: '',
          stops: [{ ttl: hop.ttl, address }],
        })
      } else {
        known.stops.push({ ttl: hop.ttl, address })
        known.isEnd ||= address === destination
      }
    }
  }
  const withNumbers = [...places.values()].map((place) => ({
    ...place,
    numbers: rangesOf([...new Set(place.stops.map(({ ttl }) => ttl))]),
  }))

  const arcs = new Map<string, MapArc>()
  const flows = new Set(hops.flatMap((hop) => hop.flows.map(({ flow }) => flow)))
  for (const flow of flows) {
    let before: string | undefined
    for (const hop of hops) {
      const address = hop.flows.find((candidate) => candidate.flow === flow)?.address ?? ''
      const id = idByAddress.get(address)
      if (id === undefined || id === before) continue
      if (before !== undefined) arcs.set(`${before}>${id}`, { id: `${before}>${id}`, from: before, to: id })
      before = id
    }
  }
  return { places: withNumbers, arcs: [...arcs.values()] }
}

/** Rising numbers in short: `3–5, 8`. */
export function rangesOf(numbers: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last !== undefined && number === last[1] + 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(', ')
}
