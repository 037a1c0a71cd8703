/**
 * The order of a list's rows from answer to answer.
 */
export interface OrderRequest {
  offset: number
  limit: number
  /** Rows that were in the last answer keep their places. */
  holdOrder: boolean
  /** What the order depends on; when it differs from the last one there is nothing to hold. */
  orderKey: string
}

/** Beyond this part of the list, picking the first ones costs more than sorting all. */
const pickablePart = 1 / 4

export class OrderedPages<Item> {
  #orderKey = ''
  /** The last answer's order, as far as it was needed. */
  #ids: number[] = []

  constructor(private readonly idOf: (item: Item) => number) {}

  /** The rows from `offset` on. `compare` must be a total order; `items` is left as it is. */
  page(items: readonly Item[], compare: (a: Item, b: Item) => number, request: OrderRequest): Item[] {
    const end = Math.min(items.length, request.offset + request.limit)
    const isHeld = request.holdOrder && this.#orderKey === request.orderKey && this.#ids.length > 0
    const ordered = isHeld ? this.#held(items, compare) : firstInOrder(items, compare, end)
    this.#orderKey = request.orderKey
    this.#ids = ordered.map(this.idOf)
    return ordered.slice(request.offset, end)
  }

  #held(items: readonly Item[], compare: (a: Item, b: Item) => number): Item[] {
    const places = new Map(this.#ids.map((id, place) => [id, place]))
    const known: { item: Item; place: number }[] = []
    const others: Item[] = []
    for (const item of items) {
      const place = places.get(this.idOf(item))
      if (place === undefined) others.push(item)
      else known.push({ item, place })
    }
    known.sort((a, b) => a.place - b.place)
    return [...known.map(({ item }) => item), ...others.sort(compare)]
  }
}

/** The first `count` items in order, without sorting the rest when they are few. */
export function firstInOrder<Item>(
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
  count: number,
): Item[] {
  if (count > items.length * pickablePart) return [...items].sort(compare).slice(0, count)
  // A heap of the best so far, the worst of them on top: most items are turned away by one comparison.
  const heap: Item[] = []
  const isWorse = (a: number, b: number) => compare(heap[a] as Item, heap[b] as Item) > 0
  const swap = (a: number, b: number) => {
    const kept = heap[a] as Item
    heap[a] = heap[b] as Item
    heap[b] = kept
  }
  const sink = () => {
    let at = 0
    for (;;) {
      let worst = at
      if (2 * at + 1 < heap.length && isWorse(2 * at + 1, worst)) worst = 2 * at + 1
      if (2 * at + 2 < heap.length && isWorse(2 * at + 2, worst)) worst = 2 * at + 2
      if (worst === at) return
      swap(at, worst)
      at = worst
    }
  }
  for (const item of items) {
    if (heap.length < count) {
      heap.push(item)
      for (let at = heap.length - 1; at > 0;) {
        const parent = (at - 1) >> 1
        if (!isWorse(at, parent)) break
        swap(at, parent)
        at = parent
      }
    } else if (count > 0 && compare(item, heap[0] as Item) < 0) {
      heap[0] = item
      sink()
    }
  }
  return heap.sort(compare)
}
