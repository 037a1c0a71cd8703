import { connections } from './connections.svelte'
import { processSelection } from './process-selection.svelte'

export type TabId = 'processes' | 'connections'

/** Which tab is shown, and the ways that lead from one tab into another. */
class Navigation {
  tab = $state<TabId>('processes')

  showProcess(ownerId: number): void {
    processSelection.select(ownerId)
    processSelection.panelOpen = true
    this.tab = 'processes'
  }

  /** Shows the flows in which every word of `filter` occurs. */
  showConnections(filter: string): void {
    connections.ask({ filter, group: 'all' })
    this.tab = 'connections'
  }
}

export const navigation = new Navigation()
