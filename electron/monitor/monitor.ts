/**
 * The one mutable copy of the truth: takes what the helper says, gives what the window and the command line show.
 * Pure and synchronous; whoever owns it calls `apply` for every message and `tick` after every tick.
 */
import type { HelperMessage, Owner, SocketRecord } from '../shared/helper-messages'
import type {
  ChartSample,
  ChartSeries,
  ChartSubject,
  ConnectionsQuery,
  ConnectionsView,
  ProcessDetails,
  ProcessesQuery,
  ProcessesView,
  StatusView,
} from '../shared/views'

/** Look-ups that the monitor has no data for itself. */
export interface MonitorOptions {
  /** The scripted helper is behind it; only `status().mode` changes. */
  demo?: boolean
  /** Name of a well-known port, `''` unknown. */
  serviceName?(protocol: 'TCP' | 'UDP' | 'SCTP', port: number): string
  /** Name of an IP protocol, `''` unknown. */
  protocolName?(protocol: number): string
  /** Name of an EtherType, `''` unknown. */
  etherTypeName?(etherType: number): string
  /** Name of a user whose process the helper could not name, `''` unknown. */
  userName?(uid: number): string
}

/** A list that remembers the order of its last answer, for `holdOrder`: one per live query. */
export interface ListFeed<Query, View> {
  view(query: Query): View
}

export interface Monitor {
  /**
   * Takes one message. Flow batches wait until the tick that closes them, so that what is shown is always a whole
   * tick. `nowMs` is Unix time.
   */
  apply(message: HelperMessage, nowMs: number): void
  /** The helper has died or was stopped: its flows end, its totals stay, the chart has a gap from here on. */
  helperLost(nowMs: number): void
  /** Nothing was captured up to now for a reason outside (suspend): the chart gets a gap. */
  gap(nowMs: number): void
  /** The reduced mode: the kernel's socket list, polled from outside, in place of flows. */
  applySockets(sockets: SocketRecord[], nowMs: number): void
  /**
   * Lets time pass: rates, the chart's next sample, what has been kept long enough. To be called after each tick message
   * (with `timeMs` of the tick), and about once a second while none come.
   */
  tick(nowMs: number): void

  /** False in the reduced mode. */
  readonly measured: boolean
  openProcesses(): ListFeed<ProcessesQuery, ProcessesView>
  openConnections(): ListFeed<ConnectionsQuery, ConnectionsView>
  processDetails(ownerId: number): ProcessDetails | null
  /** Pid and start time of a row, to act on that very incarnation; null when it is not known (any more). */
  owner(ownerId: number): Owner | null
  status(helper: StatusView['helper']): StatusView
  chart(subject: ChartSubject): ChartSeries
  /** The sample of the last tick. */
  chartSample(subject: ChartSubject): ChartSample
}
