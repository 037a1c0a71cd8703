/** What the pointer is on and what is selected, shared by the table, the chart, the graph and the map of one trace. */
export class TraceFocus {
  /** The hops under the pointer: one, or all that stand at one place of the map. */
  hoveredTtls = $state.raw<readonly number[]>([])
  /** Which of the hop's addresses, `''` the hop as a whole. */
  hoveredAddress = $state('')
  /** The hop of the chart; 0: the last that answers. */
  selectedTtl = $state(0)

  hover(ttls: readonly number[], address = ''): void {
    this.hoveredTtls = ttls
    this.hoveredAddress = address
  }

  leave(): void {
    this.hover([])
  }

  isHovered(ttl: number, address: string): boolean {
    if (!this.hoveredTtls.includes(ttl)) return false
    return this.hoveredAddress === '' || this.hoveredAddress === address
  }
}
