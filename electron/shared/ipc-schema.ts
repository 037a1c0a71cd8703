/**
 * Every call between the window and the main process. All typings derive from these two objects; adding a call means one
 * line here, a validator in electron/main/ipc/, and a handler.
 *
 * The order that loses nothing: the window first listens to an event, then sends the query that starts it; the answer is
 * the snapshot, the events continue it. A query stays live, answered at every tick, until the window sends another of
 * its kind, releases it, or goes away.
 */
import type { Failure } from './errors'
import type { TraceExportFormat, TraceListItem, TraceOptions, TraceView } from './trace'
import type {
  ChartSample,
  ChartSeries,
  ChartSubject,
  ConnectionsQuery,
  ConnectionsView,
  ProcessDetails,
  ProcessesQuery,
  ProcessesView,
  Settings,
  StatusView,
} from './views'

interface Call<Params, Result> {
  params?: Params
  result?: Result
}

function call<Params, Result>(): Call<Params, Result> {
  return {}
}

function event<Payload>(): { payload?: Payload } {
  return {}
}

/** The outcome of an action that the user asked for. */
export type ActionResult = { ok: true } | { ok: false; failure: Failure }

/** `close` forgets the trace; `restart` begins it anew under the same key. */
export type TraceAction = 'pause' | 'resume' | 'stop' | 'restart' | 'close'

/** Window to main, each answered once. */
export const requests = {
  /** The status bar's content, live from then on. */
  'status.query': call<null, StatusView>(),
  'processes.query': call<ProcessesQuery, ProcessesView>(),
  'processes.release': call<null, null>(),
  /** One process, live from then on; null when it is not known (any more). */
  'processDetails.query': call<{ ownerId: number }, ProcessDetails | null>(),
  'processDetails.release': call<null, null>(),
  'connections.query': call<ConnectionsQuery, ConnectionsView>(),
  'connections.release': call<null, null>(),
  /** The last minutes of a subject (0: everything), then one sample a tick. At most two subjects at once. */
  'chart.query': call<{ subject: ChartSubject }, ChartSeries>(),
  'chart.release': call<{ subject: ChartSubject }, null>(),
  /** Asks for the administrator's password and gives the helper its capabilities. */
  'helper.grant': call<null, ActionResult>(),
  'helper.restart': call<null, ActionResult>(),
  /** Sends SIGTERM, or SIGKILL with `force`, to the process incarnation that the window showed. */
  'process.end': call<{ ownerId: number; force: boolean }, ActionResult>(),
  'settings.get': call<null, Settings>(),
  'settings.set': call<Partial<Settings>, Settings>(),
  'clipboard.write': call<{ text: string }, null>(),
  /** Resolves the host and begins to probe; the failure names what the user can mend. */
  'trace.start': call<TraceOptions, { ok: true; traceKey: number } | { ok: false; failure: Failure }>(),
  /** Every open trace in the order of its start, live from then on. */
  'trace.list': call<null, TraceListItem[]>(),
  /** One trace, live from then on (at most five times a second); null when it is not known (any more). */
  'trace.query': call<{ traceKey: number }, TraceView | null>(),
  'trace.release': call<null, null>(),
  'trace.control': call<{ traceKey: number; action: TraceAction }, ActionResult>(),
  /** Writes the trace as it stands. `png` is a picture of the window; `file` asks where, and a closed dialog is no failure. */
  'trace.export': call<{ traceKey: number; format: TraceExportFormat; target: 'clipboard' | 'file' }, ActionResult>(),
} as const

/** Main to window, one way. */
export const events = {
  status: event<StatusView>(),
  processes: event<ProcessesView>(),
  processDetails: event<{ ownerId: number; details: ProcessDetails | null }>(),
  connections: event<ConnectionsView>(),
  chart: event<{ subject: ChartSubject; sample: ChartSample }>(),
  settings: event<Settings>(),
  traces: event<TraceListItem[]>(),
  trace: event<TraceView>(),
} as const

export type RequestName = keyof typeof requests
export type RequestParams<Name extends RequestName> = NonNullable<(typeof requests)[Name]['params']> | NullParams<Name>
type NullParams<Name extends RequestName> = null extends (typeof requests)[Name]['params'] ? null : never
export type RequestResult<Name extends RequestName> = Exclude<(typeof requests)[Name]['result'], undefined>
export type EventName = keyof typeof events
export type EventPayload<Name extends EventName> = Exclude<(typeof events)[Name]['payload'], undefined>

/** What the preload exposes as `window.netloupe`. */
export interface NetloupeApi {
  request<Name extends RequestName>(name: Name, params: RequestParams<Name>): Promise<RequestResult<Name>>
  /** Returns the function that stops listening. */
  listen<Name extends EventName>(name: Name, listener: (payload: EventPayload<Name>) => void): () => void
}

export const requestChannel = 'netloupe:request'
export const eventChannel = 'netloupe:event'
