/**
 * Tells a path that has moved from one that is merely balanced: an address counts as the new one of its place when it
 * has answered there three rounds in a row and the old one in none of them.
 */
const roundsToBelieve = 3

/** Branches of one place that are remembered; more are not told apart from changes. */
const maxBalanced = 16

interface Place {
  address: string
  candidate: string
  seen: number
  /** Addresses that have alternated here: their coming back is load balancing, no change. */
  balanced: Set<string>
}

export interface PathChange {
  ttl: number
  from: string
  to: string
}

export class PathChanges {
  readonly #places = new Map<string, Place>()

  /** Takes what a flow met in one round (`''` silent) and gives the changes that are now certain. */
  note(flow: number, path: ReadonlyMap<number, string>): PathChange[] {
    const changes: PathChange[] = []
    for (const [ttl, address] of path) {
      if (address === '') continue
      const change = this.#notePlace(`${flow}:${ttl}`, address)
      if (change !== null) changes.push({ ttl, ...change })
    }
    return changes
  }

  #notePlace(key: string, address: string): { from: string; to: string } | null {
    const place = this.#places.get(key)
    if (place === undefined) {
      this.#places.set(key, { address, candidate: '', seen: 0, balanced: new Set() })
      return null
    }
    if (address === place.address) {
      if (place.candidate !== '' && place.balanced.size < maxBalanced) place.balanced.add(place.candidate)
      place.candidate = ''
      place.seen = 0
      return null
    }
    if (place.balanced.has(address)) return null
    place.seen = address === place.candidate ? place.seen + 1 : 1
    place.candidate = address
    if (place.seen < roundsToBelieve) return null
    const from = place.address
    this.#places.set(key, { address, candidate: '', seen: 0, balanced: place.balanced })
    return { from, to: address }
  }
}
