import Activity from '@lucide/svelte/icons/activity'
import Cable from '@lucide/svelte/icons/arrow-left-right'
import Route from '@lucide/svelte/icons/waypoints'
import type { Component } from 'svelte'
import ConnectionsTab from './features/connections/ConnectionsTab.svelte'
import ProcessesTab from './features/processes/ProcessesTab.svelte'
import TraceTab from './features/trace/TraceTab.svelte'
import type { TabId } from './state/navigation.svelte'

interface Tab {
  id: TabId
  label: string
  icon: Component<{ size?: number | string }>
  content: Component
}

/** In the order of the tab bar; Ctrl+1 shows the first. A new tab is a line here, its folder and its id in `navigation`. */
export const tabs: readonly Tab[] = [
  { id: 'processes', label: 'Processes', icon: Activity, content: ProcessesTab },
  { id: 'connections', label: 'Connections', icon: Cable, content: ConnectionsTab },
  { id: 'trace', label: 'Traceroute', icon: Route, content: TraceTab },
]
