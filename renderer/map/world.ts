import { feature, mesh } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'

export interface World {
  land: GeoJSON.FeatureCollection | GeoJSON.Feature
  borders: GeoJSON.MultiLineString
}

/** `coarse` for a whole continent and more, `fine` for less. */
export type WorldDetail = 'coarse' | 'fine'

const files = {
  coarse: () => import('world-atlas/countries-110m.json'),
  fine: () => import('world-atlas/countries-50m.json'),
}
const loading = new Map<WorldDetail, Promise<World>>()

/** Coasts and borders (Natural Earth), read when they are first asked for. */
export function loadWorld(detail: WorldDetail): Promise<World> {
  const known = loading.get(detail)
  if (known !== undefined) return known
  const world = files[detail]().then((file) => {
    const topology = (file.default ?? file) as unknown as Topology<{
      countries: GeometryCollection
      land: GeometryCollection
    }>
    const { countries, land } = topology.objects
    return {
      land: feature(topology, land),
      borders: mesh(topology, countries, (one, other) => one !== other),
    }
  })
  loading.set(detail, world)
  return world
}
