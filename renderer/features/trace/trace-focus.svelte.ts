/** A hop, and which of its addresses; `''` the hop as a whole. */
export interface Stop {
  ttl: number
  address: string
}

/** What the pointer is on and what is selected, shared by the table, the chart, the graph and the map of one trace. */
export class TraceFocus {
  /** One, or all that stand at one place of the map. */
  hovered = $state.raw<readonly Stop[]>([])
  /** The hop of the chart; 0: the last that answers. */
  selectedTtl = $state(0)

  hover(...stops: readonly Stop[]): void {
    this.hovered = stops
  }

  leave(): void {
    this.hovered = []
  }

  isHovered(ttl: number, address: string): boolean {
    return this.hovered.some((stop) => stop.ttl === ttl && (stop.address === '' || stop.address === address))
  }
}
