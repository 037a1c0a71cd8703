import type { ViewFeed } from '../../view-feed'
import type { Handlers } from '../router'

type ViewRequest =
  | 'status.query'
  | 'processes.query'
  | 'processes.release'
  | 'processDetails.query'
  | 'processDetails.release'
  | 'connections.query'
  | 'connections.release'
  | 'chart.query'
  | 'chart.release'

/** What the window shows: each query is answered and stays live in the feed. */
export function viewHandlers(feed: ViewFeed): Pick<Handlers, ViewRequest> {
  return {
    'status.query': (_, { contentsId }) => feed.queryStatus(contentsId),
    'processes.query': (query, { contentsId }) => feed.queryProcesses(contentsId, query),
    'processes.release': (_, { contentsId }) => {
      feed.releaseProcesses(contentsId)
      return null
    },
    'processDetails.query': ({ ownerId }, { contentsId }) => feed.queryDetails(contentsId, ownerId),
    'processDetails.release': (_, { contentsId }) => {
      feed.releaseDetails(contentsId)
      return null
    },
    'connections.query': (query, { contentsId }) => feed.queryConnections(contentsId, query),
    'connections.release': (_, { contentsId }) => {
      feed.releaseConnections(contentsId)
      return null
    },
    'chart.query': ({ subject }, { contentsId }) => feed.queryChart(contentsId, subject),
    'chart.release': ({ subject }, { contentsId }) => {
      feed.releaseChart(contentsId, subject)
      return null
    },
  }
}
