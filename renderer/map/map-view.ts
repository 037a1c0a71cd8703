import { geoCentroid, geoNaturalEarth1, type GeoProjection } from 'd3-geo'
import type { MapPlace } from './map-place'

export interface Size {
  width: number
  height: number
}

/** Which part of the world is seen: the numbers of a projection. */
export interface MapView {
  /** Longitude in the middle of the projection. */
  centre: number
  scale: number
  x: number
  y: number
}

/** Closer than this, the coasts of the data look like polygons. */
const maxZoom = 40
/** A path within one town is shown with the country around it. */
const maxFittedZoom = 14
/** The buttons stand at the right. */
const margin = { left: 36, right: 60, top: 26, bottom: 30 }

export function projectionOf({ centre, scale, x, y }: MapView): GeoProjection {
  return geoNaturalEarth1().rotate([-centre, 0]).scale(scale).translate([x, y])
}

function read(projection: GeoProjection, centre: number): MapView {
  const [x, y] = projection.translate()
  return { centre, scale: projection.scale(), x, y }
}

export function worldView({ width, height }: Size, centre = 10): MapView {
  const projection = geoNaturalEarth1().rotate([-centre, 0])
  return read(
    projection.fitExtent(
      [
        [8, 8],
        [Math.max(9, width - 8), Math.max(9, height - 8)],
      ],
      { type: 'Sphere' },
    ),
    centre,
  )
}

/** The view in which all plausible places are seen; the world when there are none. */
export function fittedView(places: readonly MapPlace[], size: Size): MapView {
  const points = places.filter(({ isPlausible }) => isPlausible).map((place) => [place.longitude, place.latitude])
  if (points.length === 0) return worldView(size)
  const shape: GeoJSON.MultiPoint = { type: 'MultiPoint', coordinates: points }
  // In the middle of the path, so that a way over the Pacific is not torn apart. On whole degrees: a new hop turns little.
  const centre = Math.round(geoCentroid(shape)[0] || 0)
  const projection = geoNaturalEarth1().rotate([-centre, 0])
  projection.fitExtent(
    [
      [margin.left, margin.top],
      [Math.max(margin.left + 1, size.width - margin.right), Math.max(margin.top + 1, size.height - margin.bottom)],
    ],
    shape,
  )
  const limit = worldView(size).scale * maxFittedZoom
  if (Number.isFinite(projection.scale()) && projection.scale() <= limit) return read(projection, centre)
  // A single place has no extent to be fitted.
  const [longitude = 0, latitude = 0] = geoCentroid(shape)
  projection.scale(limit).translate([0, 0])
  const [x = 0, y = 0] = projection([longitude, latitude]) ?? []
  return { centre, scale: limit, x: size.width / 2 - x, y: size.height / 2 - y }
}

/** Zooms by `factor` about the point (`x`, `y`) of the picture, from the whole world to as near as the data is good for. */
export function zoomed(view: MapView, size: Size, factor: number, x: number, y: number): MapView {
  const least = worldView(size).scale
  const scale = Math.min(least * maxZoom, Math.max(least, view.scale * factor))
  const ratio = scale / view.scale
  return { ...view, scale, x: x + (view.x - x) * ratio, y: y + (view.y - y) * ratio }
}

/** Moves the picture, never so far that the world leaves it. */
export function moved(view: MapView, size: Size, dx: number, dy: number): MapView {
  // The projection is about 2.8 scales to each side and 1.4 up and down.
  const reachX = view.scale * 2.8
  const reachY = view.scale * 1.45
  const within = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high)
  return {
    ...view,
    x: within(view.x + dx, size.width / 2 - reachX, size.width / 2 + reachX),
    y: within(view.y + dy, size.height / 2 - reachY, size.height / 2 + reachY),
  }
}

/** The same part of the world in a picture of another size: what is in the middle stays there. */
export function resized(view: MapView, before: Size, after: Size): MapView {
  return { ...view, x: view.x + (after.width - before.width) / 2, y: view.y + (after.height - before.height) / 2 }
}
