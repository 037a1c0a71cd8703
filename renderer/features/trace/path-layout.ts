import type { PathGraph, PathLink, PathNode } from '../../../electron/shared/trace'

export interface PlacedNode extends PathNode {
  x: number
  y: number
}

export interface PlacedLink extends PathLink {
  key: string
  /** SVG path. */
  d: string
  /** Part of the probes between these two distances that went this way, 0 to 1. */
  share: number
}

export interface PathLayout {
  nodes: PlacedNode[]
  links: PlacedLink[]
  width: number
  height: number
  /** Between two columns. */
  gap: number
}

/** Columns as far apart as this have room for labels. */
export const labelGap = 76

/** The machine itself, from which every path begins. */
export const sourceId = 'source'

/** Half of a label, where columns are far enough apart to have some. */
const wideMarginX = 50
const marginX = 28
const marginY = 26
/** Every flow may have its own way; what is more than that comes from a forger, and is left out. */
const maxNodesPerTtl = 24
const minGap = 28
const maxGap = 170
const minRowGap = 16
const maxRowGap = 46

/**
 * Places a path graph in a box at least as large as given: a column per ttl, nearest left; branches below each other,
 * each near those it comes from.
 */
export function layOutPath(whole: PathGraph, boxWidth: number, boxHeight: number): PathLayout {
  const graph = drawablePart(whole)
  const empty = { nodes: [], links: [], width: boxWidth, height: boxHeight, gap: minGap }
  const firstTtl = graph.nodes[0]?.ttl
  if (firstTtl === undefined) return empty
  const source: PathNode = { id: sourceId, ttl: firstTtl - 1, address: '', flows: [] }
  const columns = new Map<number, PathNode[]>([[source.ttl, [source]]])
  for (const node of graph.nodes) columns.set(node.ttl, [...(columns.get(node.ttl) ?? []), node])
  const first = graph.nodes.filter(({ ttl }) => ttl === firstTtl)
  const links = [
    ...first.map(({ id, flows }): PathLink => ({ from: sourceId, to: id, flows, count: leaving(graph.links, id) })),
    ...graph.links,
  ]

  const ttls = [...columns.keys()].sort((one, other) => one - other)
  const lastTtl = ttls.at(-1) ?? firstTtl
  const most = Math.max(...[...columns.values()].map(({ length }) => length))
  const steps = Math.max(1, lastTtl - source.ttl)
  const margin = (boxWidth - 2 * wideMarginX) / steps >= labelGap ? wideMarginX : marginX
  const gap = Math.min(maxGap, Math.max(minGap, (boxWidth - 2 * margin) / steps))
  const rowGap = Math.min(maxRowGap, Math.max(minRowGap, (boxHeight - 2 * marginY) / Math.max(1, most - 1)))
  const width = Math.max(boxWidth, 2 * margin + gap * steps)
  const height = Math.max(boxHeight, 2 * marginY + rowGap * (most - 1))
  // A short path stands in the middle of a wide box.
  const left = (width - gap * steps) / 2

  const placed = new Map<string, PlacedNode>()
  for (const ttl of ttls) {
    const column = columns.get(ttl) ?? []
    const wantedY = new Map(column.map((node) => [node.id, meanOriginY(node, links, placed) ?? height / 2]))
    const ordered = [...column].sort((one, other) => (wantedY.get(one.id) ?? 0) - (wantedY.get(other.id) ?? 0))
    ordered.forEach((node, index) => {
      const y = height / 2 + (index - (ordered.length - 1) / 2) * rowGap
      placed.set(node.id, { ...node, x: left + gap * (ttl - source.ttl), y })
    })
  }
  return { nodes: [...placed.values()], links: placeLinks(links, placed), width, height, gap }
}

/** The graph without what only a forger can have added. */
function drawablePart({ nodes, links }: PathGraph): PathGraph {
  const perTtl = new Map<number, number>()
  const kept = nodes.filter((node) => {
    const before = perTtl.get(node.ttl) ?? 0
    perTtl.set(node.ttl, before + 1)
    return before < maxNodesPerTtl
  })
  const ids = new Set(kept.map(({ id }) => id))
  return { nodes: kept, links: links.filter(({ from, to }) => ids.has(from) && ids.has(to)) }
}

function leaving(links: readonly PathLink[], id: string): number {
  return Math.max(
    1,
    links.filter(({ from }) => from === id).reduce((sum, { count }) => sum + count, 0),
  )
}

function meanOriginY(node: PathNode, links: readonly PathLink[], placed: Map<string, PlacedNode>): number | undefined {
  const origins = links.flatMap(({ from, to }) => (to === node.id ? (placed.get(from) ?? []) : []))
  if (origins.length === 0) return undefined
  return origins.reduce((sum, { y }) => sum + y, 0) / origins.length
}

function placeLinks(links: readonly PathLink[], placed: Map<string, PlacedNode>): PlacedLink[] {
  const perColumn = new Map<number, number>()
  for (const { from, count } of links) {
    const ttl = placed.get(from)?.ttl ?? 0
    perColumn.set(ttl, (perColumn.get(ttl) ?? 0) + count)
  }
  return links.flatMap((link) => {
    const from = placed.get(link.from)
    const to = placed.get(link.to)
    if (from === undefined || to === undefined) return []
    const middle = (from.x + to.x) / 2
    const d =
      from.y === to.y
        ? `M${from.x} ${from.y}H${to.x}`
        : `M${from.x} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`
    return [{ ...link, key: `${link.from} ${link.to}`, d, share: link.count / (perColumn.get(from.ttl) ?? 1) }]
  })
}
