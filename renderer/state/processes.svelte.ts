import type { ProcessesQuery, ProcessesView, ProcessRow } from '../../electron/shared/views'
import { api } from './api'
import { LiveList } from './live-list.svelte'
import { pause } from './pause.svelte'

/** The processes that have used the network. */
export const processes = new LiveList<ProcessRow, ProcessesQuery, ProcessesView>(
  {
    query: (query) => api.request('processes.query', query),
    release: () => api.request('processes.release', null),
    listen: (listener) => api.listen('processes', listener),
  },
  { sort: { column: 'rxRate', descending: true }, filter: '', offset: 0, limit: 120, holdOrder: false },
  pause,
)
