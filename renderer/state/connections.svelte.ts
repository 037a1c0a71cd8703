import type { ConnectionsQuery, ConnectionsView, FlowRow } from '../../electron/shared/views'
import { api } from './api'
import { LiveList } from './live-list.svelte'
import { pause } from './pause.svelte'

/** All flows, TCP and others. */
export const connections = new LiveList<FlowRow, ConnectionsQuery, ConnectionsView>(
  {
    query: (query) => api.request('connections.query', query),
    release: () => api.request('connections.release', null),
    listen: (listener) => api.listen('connections', listener),
  },
  {
    group: 'all',
    sort: { column: 'rxRate', descending: true },
    filter: '',
    offset: 0,
    limit: 120,
    holdOrder: false,
  },
  pause,
)
