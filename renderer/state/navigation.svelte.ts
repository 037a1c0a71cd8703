import { defaultTraceOptions, type TraceProtocol } from '../../electron/shared/trace'
import type { FlowRow } from '../../electron/shared/views'
import { connections } from './connections.svelte'
import { processSelection } from './process-selection.svelte'
import { traceDraft } from './trace-draft.svelte'
import { traces } from './traces.svelte'

export type TabId = 'processes' | 'connections' | 'trace'

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

  /** Traces the way to a flow's remote address, with its protocol and port where probes can have them. */
  startTrace(flow: Pick<FlowRow, 'protocol' | 'remoteAddress' | 'remotePort' | 'interface'>): void {
    const protocols: Partial<Record<string, TraceProtocol>> = { TCP: 'tcp', UDP: 'udp' }
    const protocol = protocols[flow.protocol] ?? 'icmp'
    traceDraft.options = {
      ...defaultTraceOptions,
      host: flow.remoteAddress,
      protocol,
      port: protocol === 'icmp' ? 0 : flow.remotePort,
      // A link-local address says nothing without its link.
      interface: /^fe[89ab]/i.test(flow.remoteAddress) ? flow.interface : '',
    }
    this.tab = 'trace'
    void traces.start(traceDraft.options)
  }
}

export const navigation = new Navigation()
