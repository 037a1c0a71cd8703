/**
 * The live queries of every window: answers each at once and again after every tick, as long as somebody looks.
 */
import type { EventName, EventPayload } from '../shared/ipc-schema'
import type { TraceListItem, TraceView } from '../shared/trace'
import type {
  ChartSeries,
  ChartSubject,
  ConnectionsQuery,
  ConnectionsView,
  ProcessDetails,
  ProcessesQuery,
  ProcessesView,
  StatusView,
} from '../shared/views'
import type { ListFeed, Monitor } from '../monitor/monitor'

/** A window as the feed needs it. */
export interface ViewTarget {
  /** `webContents.id`. */
  readonly id: number
  /** False while hidden or minimised: nothing is computed or sent for it then. */
  isShown(): boolean
  send<Name extends EventName>(name: Name, payload: EventPayload<Name>): void
}

export type ViewSource = Pick<Monitor, 'openProcesses' | 'openConnections' | 'processDetails' | 'chart'> & {
  status(): StatusView
  traceList(): TraceListItem[]
  trace(traceKey: number): TraceView | null
}

interface LiveList<Query, View> {
  feed: ListFeed<Query, View>
  query: Query
}

interface LiveQueries {
  target: ViewTarget
  status: boolean
  processes: LiveList<ProcessesQuery, ProcessesView> | null
  connections: LiveList<ConnectionsQuery, ConnectionsView> | null
  detailsOf: number | null
  /** Subject to the time of the last sample that the window has, in the order in which they were asked for. */
  charts: Map<ChartSubject, number>
  /** Traces go at their own pace, not the tick's; `isDue`: changed while the window was not seen. */
  traceList: { isDue: boolean } | null
  trace: { traceKey: number; isDue: boolean } | null
}

/** As the schema says. A window that asks for a third loses the one that it asked for first. */
const maxCharts = 2

export class ViewFeed {
  /** One entry per open window. */
  readonly #windows = new Map<number, LiveQueries>()

  constructor(private readonly source: ViewSource) {}

  /** Makes a window known; its page starts without queries. Also to be called when the page is loaded anew. */
  attach(target: ViewTarget): void {
    this.#windows.set(target.id, {
      target,
      status: false,
      processes: null,
      connections: null,
      detailsOf: null,
      charts: new Map(),
      traceList: null,
      trace: null,
    })
  }

  detach(id: number): void {
    this.#windows.delete(id)
  }

  isAttached(id: number): boolean {
    return this.#windows.has(id)
  }

  queryStatus(id: number): StatusView {
    this.#of(id).status = true
    return this.source.status()
  }

  queryProcesses(id: number, query: ProcessesQuery): ProcessesView {
    const live = this.#of(id)
    // One feed over all queries of a kind: it remembers the order that `holdOrder` holds.
    live.processes = { feed: live.processes?.feed ?? this.source.openProcesses(), query }
    return live.processes.feed.view(query)
  }

  releaseProcesses(id: number): void {
    this.#of(id).processes = null
  }

  queryConnections(id: number, query: ConnectionsQuery): ConnectionsView {
    const live = this.#of(id)
    live.connections = { feed: live.connections?.feed ?? this.source.openConnections(), query }
    return live.connections.feed.view(query)
  }

  releaseConnections(id: number): void {
    this.#of(id).connections = null
  }

  queryDetails(id: number, ownerId: number): ProcessDetails | null {
    this.#of(id).detailsOf = ownerId
    return this.source.processDetails(ownerId)
  }

  releaseDetails(id: number): void {
    this.#of(id).detailsOf = null
  }

  queryChart(id: number, subject: ChartSubject): ChartSeries {
    const { charts } = this.#of(id)
    charts.delete(subject)
    for (const oldest of charts.keys()) {
      if (charts.size < maxCharts) break
      charts.delete(oldest)
    }
    const series = this.source.chart(subject)
    charts.set(subject, series.timesS.at(-1) ?? 0)
    return series
  }

  releaseChart(id: number, subject: ChartSubject): void {
    this.#of(id).charts.delete(subject)
  }

  queryTraces(id: number): TraceListItem[] {
    this.#of(id).traceList = { isDue: false }
    return this.source.traceList()
  }

  queryTrace(id: number, traceKey: number): TraceView | null {
    this.#of(id).trace = { traceKey, isDue: false }
    return this.source.trace(traceKey)
  }

  releaseTrace(id: number): void {
    this.#of(id).trace = null
  }

  /** To be called as often as a window may be told. */
  traceChanged(traceKey: number): void {
    for (const live of this.#windows.values()) {
      if (live.trace?.traceKey !== traceKey) continue
      live.trace.isDue = true
      this.#sendTraces(live)
    }
  }

  traceListChanged(): void {
    for (const live of this.#windows.values()) {
      if (live.traceList === null) continue
      live.traceList.isDue = true
      this.#sendTraces(live)
    }
  }

  /** After every tick: answers the live queries of every window. */
  tick(): void {
    for (const id of this.#windows.keys()) this.refresh(id)
  }

  /**
   * Answers the live queries of one window, one message per view, if it is seen. To be called also when it is seen again: it
   * then gets the chart samples of the time in which it was not.
   */
  refresh(id: number): void {
    const live = this.#windows.get(id)
    if (!live?.target.isShown()) return
    const { target, status, processes, connections, detailsOf, charts } = live
    if (status) target.send('status', this.source.status())
    if (processes) target.send('processes', processes.feed.view(processes.query))
    if (connections) target.send('connections', connections.feed.view(connections.query))
    if (detailsOf !== null) {
      target.send('processDetails', { ownerId: detailsOf, details: this.source.processDetails(detailsOf) })
    }
    for (const subject of charts.keys()) this.#sendSamples(live, subject)
    this.#sendTraces(live)
  }

  /** The helper's state has changed; it shows at once, not with the next tick, which may never come. */
  statusChanged(): void {
    for (const { target, status } of this.#windows.values()) {
      if (status && target.isShown()) target.send('status', this.source.status())
    }
  }

  /** Tells every window, seen or not. */
  broadcast<Name extends EventName>(name: Name, payload: EventPayload<Name>): void {
    for (const { target } of this.#windows.values()) target.send(name, payload)
  }

  /** Every sample that the window has not got: usually one, two around a gap, more after it was not seen. */
  #sendSamples({ target, charts }: LiveQueries, subject: ChartSubject): void {
    const { timesS, rxRates, txRates } = this.source.chart(subject)
    const newestS = timesS.at(-1)
    const sentS = charts.get(subject)
    if (newestS === undefined || sentS === undefined || newestS === sentS) return
    charts.set(subject, newestS)
    // Older than what was sent: the machine's clock was set back, and the chart has begun anew.
    const first = newestS < sentS ? 0 : timesS.findIndex((timeS) => timeS > sentS)
    for (let index = first; index < timesS.length; index += 1) {
      const sample = { timeS: timesS[index] ?? 0, rxRate: rxRates[index] ?? null, txRate: txRates[index] ?? null }
      target.send('chart', { subject, sample })
    }
  }

  #sendTraces({ target, traceList, trace }: LiveQueries): void {
    if (!target.isShown()) return
    if (traceList?.isDue === true) {
      traceList.isDue = false
      target.send('traces', this.source.traceList())
    }
    if (trace?.isDue === true) {
      trace.isDue = false
      const view = this.source.trace(trace.traceKey)
      if (view !== null) target.send('trace', view)
    }
  }

  #of(id: number): LiveQueries {
    const live = this.#windows.get(id)
    if (!live) throw new Error(`The web contents ${id} are no attached window.`)
    return live
  }
}
