/**
 * The paths of all flows as one graph: a node per ttl and address, a link where a flow went from one to the next in the
 * same round.
 */
import type { PathGraph, PathLink, PathNode } from '../../shared/trace'

/** A forger who answers each probe from a new address can add no more than this per ttl; further ones are left out of the graph. */
const maxNodesPerTtl = 64

interface Counted {
  count: number
  flows: Set<number>
}

export class PathGraphBuilder {
  readonly #nodes = new Map<string, { ttl: number; address: string; flows: Set<number> }>()
  readonly #links = new Map<string, Counted & { from: string; to: string }>()
  readonly #nodesPerTtl = new Map<number, number>()

  /**
   * Adds what one flow met in one round: the address per ttl, `''` for a silent hop. Silent hops between two answering ones
   * are drawn; silent hops at the end are not, since nobody knows how many there are.
   */
  addPath(flow: number, path: ReadonlyMap<number, string>): void {
    const answering = [...path].filter(([, address]) => address !== '').map(([ttl]) => ttl)
    if (answering.length === 0) return
    const last = Math.max(...answering)
    const ttls = [...path.keys()].filter((ttl) => ttl <= last).sort((a, b) => a - b)
    let before: string | null = null
    for (const ttl of ttls) {
      const id = this.#addNode(ttl, path.get(ttl) ?? '', flow)
      if (id !== null && before !== null) this.#addLink(before, id, flow)
      before = id
    }
  }

  /** A lost answer of a hop that answers that flow at other times is loss, not a branch of its own, and is left out. */
  graph(): PathGraph {
    const answering = new Set<string>()
    for (const { ttl, address, flows } of this.#nodes.values()) {
      if (address !== '') for (const flow of flows) answering.add(`${ttl}:${flow}`)
    }
    const kept = [...this.#nodes].filter(
      ([, { ttl, address, flows }]) => address !== '' || [...flows].some((flow) => !answering.has(`${ttl}:${flow}`)),
    )
    const ids = new Set(kept.map(([id]) => id))
    const nodes: PathNode[] = kept.map(([id, node]) => ({
      id,
      ttl: node.ttl,
      address: node.address,
      flows: [...node.flows].sort((a, b) => a - b),
    }))
    const links: PathLink[] = [...this.#links.values()]
      .filter(({ from, to }) => ids.has(from) && ids.has(to))
      .map((link) => ({
        from: link.from,
        to: link.to,
        count: link.count,
        flows: [...link.flows].sort((a, b) => a - b),
      }))
    return { nodes: nodes.sort((a, b) => a.ttl - b.ttl || (a.id < b.id ? -1 : 1)), links }
  }

  #addNode(ttl: number, address: string, flow: number): string | null {
    const id = `${ttl}:${address === '' ? '*' : address}`
    const node = this.#nodes.get(id)
    if (node !== undefined) {
      node.flows.add(flow)
      return id
    }
    const siblings = this.#nodesPerTtl.get(ttl) ?? 0
    if (siblings >= maxNodesPerTtl) return null
    this.#nodesPerTtl.set(ttl, siblings + 1)
    this.#nodes.set(id, { ttl, address, flows: new Set([flow]) })
    return id
  }

  #addLink(from: string, to: string, flow: number): void {
    const key = `${from} ${to}`
    const link = this.#links.get(key)
    if (link === undefined) this.#links.set(key, { from, to, count: 1, flows: new Set([flow]) })
    else {
      link.count += 1
      link.flows.add(flow)
    }
  }
}
