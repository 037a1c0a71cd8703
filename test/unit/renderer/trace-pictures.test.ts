import { describe, expect, it } from 'vitest'
import { located, traceHop, traceView } from './trace-samples'
import { PathGraphBuilder } from '../../../electron/monitor/trace/path-graph'
import { latencyColumns, latencyRange } from '../../../renderer/chart/latency-data'
import { locatePath, rangesOf } from '../../../renderer/features/trace/located-path'
import { layOutPath, sourceId } from '../../../renderer/features/trace/path-layout'
import { placeLabels } from '../../../renderer/map/labels'
import type { MapPlace } from '../../../renderer/map/map-place'
import { fittedView, moved, projectionOf, resized, worldView, zoomed } from '../../../renderer/map/map-view'

describe('the columns of the latency chart', () => {
  it('rise in time and keep loss apart from having nothing to say', () => {
    const hop = [
      { timeMs: 1000, rttMs: 5 },
      { timeMs: 3000, rttMs: null },
    ]
    expect(latencyColumns(hop, [{ timeMs: 2000, rttMs: 7 }])).toEqual([
      [1, 2, 3],
      [5, undefined, null],
      [undefined, 7, undefined],
    ])
  })

  it('fit the axis without blowing noise up', () => {
    const [low, high] = latencyRange([100, 101, null, undefined])
    expect(high - low).toBeGreaterThan(30)
    expect(low).toBeLessThan(100)
    expect(high).toBeGreaterThan(101)
    expect(latencyRange([1, 100])[0]).toBe(0)
    expect(latencyRange([null])).toEqual([0, 1])
  })
})

describe('the path graph', () => {
  function graphOf(...paths: string[][]) {
    const builder = new PathGraphBuilder()
    paths.forEach((path, flow) => builder.addPath(flow, new Map(path.map((address, index) => [index + 1, address]))))
    return builder.graph()
  }
  const at = (layout: ReturnType<typeof layOutPath>, id: string) => layout.nodes.find((node) => node.id === id)

  it('goes from this computer to the right, branches below each other', () => {
    const layout = layOutPath(graphOf(['a', 'b', 'd'], ['a', 'c', 'd']), 400, 200)
    const xs = [sourceId, '1:a', '2:b', '3:d'].map((id) => at(layout, id)?.x ?? 0)
    expect(xs).toEqual([...xs].sort((one, other) => one - other))
    expect(at(layout, '2:b')?.x).toBe(at(layout, '2:c')?.x)
    expect(at(layout, '2:b')?.y).not.toBe(at(layout, '2:c')?.y)
    expect(layout.links.map(({ from, to }) => `${from} ${to}`)).toContain(`${sourceId} 1:a`)
  })

  it('says which part of the probes took a link', () => {
    const layout = layOutPath(graphOf(['a', 'b'], ['a', 'b'], ['a', 'b'], ['a', 'c']), 400, 200)
    expect(layout.links.find(({ to }) => to === '2:b')?.share).toBe(0.75)
    expect(layout.links.find(({ to }) => to === '1:a')?.share).toBe(1)
  })

  it('grows beyond its box rather than drawing nodes over each other', () => {
    const long = layOutPath(graphOf(Array.from({ length: 30 }, (_, index) => `r${index}`)), 300, 100)
    expect(long.width).toBeGreaterThan(800)
    const wide = layOutPath(graphOf(...Array.from({ length: 16 }, (_, flow) => ['a', `b${flow}`, 'c'])), 300, 100)
    const ys = wide.nodes.filter(({ ttl }) => ttl === 2).map(({ y }) => y)
    expect(Math.max(...ys) - Math.min(...ys)).toBeGreaterThan(200)
    expect(Math.min(...ys)).toBeGreaterThan(0)
    expect(Math.max(...ys)).toBeLessThan(wide.height)
  })

  it('keeps a hop that never answers, and takes a lost answer for no branch', () => {
    const builder = new PathGraphBuilder()
    const path = (second: string) =>
      new Map([
        [1, 'a'],
        [2, second],
        [3, ''],
        [4, 'd'],
      ])
    builder.addPath(0, path('b'))
    builder.addPath(0, path(''))
    const layout = layOutPath(builder.graph(), 400, 200)
    expect(layout.nodes.map(({ id }) => id)).toEqual([sourceId, '1:a', '2:b', '3:*', '4:d'])
  })

  it('of nothing is empty', () => {
    expect(layOutPath({ nodes: [], links: [] }, 400, 200)).toMatchObject({ nodes: [], links: [] })
  })
})

describe('the places of a path', () => {
  const addresses = Object.fromEntries(
    [
      located('a', 'Bonn', 7, 50.7),
      located('b', 'Paris', 2.3, 48.8),
      located('c', 'London', 0, 51.5),
      located('d', 'Bonn', 7, 50.7),
      located('e', 'Tokyo', 139.7, 35.7, false),
      located('z', 'New York', -74, 40.7),
    ].map((info) => [info.address, info]),
  )
  const view = traceView(1, {
    destination: 'z',
    addresses,
    hops: [
      traceHop(1, ['private', 'private']),
      traceHop(2, ['a', 'd']),
      traceHop(3, ['b', 'c']),
      traceHop(4, ['e', 'e']),
      traceHop(5, ['z', 'z']),
    ],
  })
  const path = locatePath(view)
  const idOf = (name: string) => path.places.find((place) => place.name === name)?.id ?? ''

  it('are one mark where several hops stand', () => {
    expect(path.places.map(({ name, numbers }) => `${numbers} ${name}`)).toEqual([
      '2 Bonn',
      '3 Paris',
      '3 London',
      '4 Tokyo',
      '5 New York',
    ])
    expect(path.places.find(({ name }) => name === 'New York')?.isEnd).toBe(true)
  })

  it('are linked flow by flow, past what cannot be true', () => {
    expect(path.arcs.map(({ from, to }) => [from, to])).toEqual([
      [idOf('Bonn'), idOf('Paris')],
      [idOf('Paris'), idOf('New York')],
      [idOf('Bonn'), idOf('London')],
      [idOf('London'), idOf('New York')],
    ])
  })

  it('number their hops in short', () => {
    expect(rangesOf([3, 4, 5, 8])).toBe('3–5, 8')
    expect(rangesOf([7])).toBe('7')
  })
})

describe('the map', () => {
  const size = { width: 400, height: 240 }
  const place = (name: string, longitude: number, latitude: number, isPlausible = true): MapPlace => ({
    id: name,
    name,
    longitude,
    latitude,
    isPlausible,
    numbers: '1',
    isEnd: false,
  })
  const tokyo = place('Tokyo', 139.7, 35.7)
  const seattle = place('Seattle', -122.3, 47.6)
  const bonn = place('Bonn', 7, 50.7)

  function pointOf(view: ReturnType<typeof worldView>, { longitude, latitude }: MapPlace): [number, number] {
    return projectionOf(view)([longitude, latitude]) ?? [NaN, NaN]
  }

  it.each([[[tokyo, seattle]], [[bonn, seattle]], [[bonn, tokyo, seattle]]])(
    'shows every place of the path',
    (places) => {
      const view = fittedView(places, size)
      for (const [x, y] of places.map((each) => pointOf(view, each))) {
        expect(x).toBeGreaterThan(0)
        expect(x).toBeLessThan(size.width)
        expect(y).toBeGreaterThan(0)
        expect(y).toBeLessThan(size.height)
      }
    },
  )

  it('puts the Pacific in the middle of a way over it', () => {
    const view = fittedView([tokyo, seattle], size)
    expect(pointOf(view, tokyo)[0]).toBeLessThan(pointOf(view, seattle)[0])
  })

  it('shows the country around a single place, the world around none', () => {
    const view = fittedView([bonn], size)
    expect(pointOf(view, bonn).map(Math.round)).toEqual([200, 120])
    expect(fittedView([place('Nowhere', 0, 0, false)], size)).toEqual(worldView(size))
  })

  it('keeps the point under the pointer where it is', () => {
    const before = worldView(size)
    const under = projectionOf(before).invert?.([120, 80]) ?? [0, 0]
    const [x, y] = projectionOf(zoomed(before, size, 3, 120, 80))(under) ?? []
    expect(x).toBeCloseTo(120)
    expect(y).toBeCloseTo(80)
  })

  it('keeps its middle when the picture becomes larger', () => {
    const before = zoomed(worldView(size), size, 4, 90, 60)
    const middle = projectionOf(before).invert?.([200, 120]) ?? [0, 0]
    const [x, y] = projectionOf(resized(before, size, { width: 900, height: 300 }))(middle) ?? []
    expect(x).toBeCloseTo(450)
    expect(y).toBeCloseTo(150)
  })

  it('does not let the world be pushed out of sight', () => {
    const { x } = moved(worldView(size), size, 1e6, 0)
    expect(x).toBeLessThan(size.width * 2)
  })

  it('leaves out labels that would lie on each other or leave the picture', () => {
    const wish = (id: string, x: number, y: number) => ({ id, text: 'ten letters', x, y })
    const placed = placeLabels([wish('a', 100, 50), wish('b', 104, 52), wish('c', 390, 120), wish('d', 105, 54)], 400)
    expect(placed.map(({ id, anchor }) => [id, anchor])).toEqual([
      ['a', 'start'],
      ['b', 'end'],
      ['c', 'end'],
    ])
  })
})
