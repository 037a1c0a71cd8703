/**
 * The one mutable copy of the truth: takes what the helper says, gives what the window and the command line show.
 * Pure and synchronous; whoever owns it calls `apply` for every message and `tick` after every tick.
 */
import type { Degraded } from '../shared/errors'
import type {
  HelperFlows,
  HelperHello,
  HelperMessage,
  HelperTick,
  Owner,
  SocketRecord,
} from '../shared/helper-messages'
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
import { ChartHistory } from './chart-history'
import { FlowTable, keepEndedDefault, type KeepEnded } from './flow-table'
import { InterfaceTable } from './interface-table'
import { Ledger } from './ledger'
import { ProcessTable } from './process-table'
import { SocketTable } from './socket-table'
import { ConnectionsFeed } from './views/connections'
import { processDetails } from './views/details'
import type { Names } from './views/flow-rows'
import { ProcessesFeed } from './views/processes'
import { statusView } from './views/status'

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
  /** How long ended flows stay in the list. */
  keepEnded?: KeepEnded
  /** Lists bytes that belong to no single flow as rows too, so that all rows add up to what was captured. */
  listBuckets?: boolean
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
  /** `dropped` counts what the capture lost, in the kernel's buffer and in the interface. */
  status(helper: StatusView['helper']): StatusView
  chart(subject: ChartSubject): ChartSeries
  /** The sample of the last tick. */
  chartSample(subject: ChartSubject): ChartSample
}

/**
 * Flow batches that wait for their tick, in records. A helper that never closes a tick would otherwise fill the memory; at
 * the cap they are taken at once, and one tick shows figures of a moment within it.
 */
const maxWaitingRecords = 1_000_000

class TrafficMonitor implements Monitor {
  readonly #names: Names
  readonly #processes: ProcessTable
  readonly #interfaces = new InterfaceTable()
  readonly #captured: Ledger
  readonly #flows: FlowTable
  readonly #chart = new ChartHistory()
  /** The reduced mode's books; null while capture is possible. */
  #reduced: { ledger: Ledger; sockets: SocketTable } | null = null
  #waiting: HelperFlows[] = []
  #waitingRecords = 0
  #degraded: Degraded[] = []
  /** A file is read, and when it began is not known yet. */
  #awaitsRecordedTime = false
  #isRunning = false
  /** Something has been measured since the last sample. */
  #hasMeasured = false
  #nowMs = 0

  constructor(private readonly options: MonitorOptions) {
    this.#names = {
      serviceName: (protocol, port) => options.serviceName?.(protocol, port) ?? '',
      protocolName: (protocol) => options.protocolName?.(protocol) ?? '',
      etherTypeName: (etherType) => options.etherTypeName?.(etherType) ?? '',
      userName: (uid) => options.userName?.(uid) ?? '',
    }
    this.#processes = new ProcessTable((process) => this.#ledger.accountOf(process) !== null)
    this.#captured = new Ledger(this.#processes)
    this.#flows = new FlowTable(
      this.#captured,
      this.#interfaces,
      options.keepEnded ?? keepEndedDefault,
      options.listBuckets,
    )
  }

  get measured(): boolean {
    return this.#reduced === null
  }

  apply(message: HelperMessage, nowMs: number): void {
    switch (message.type) {
      case 'hello':
        this.#beginRun(message, nowMs)
        break
      case 'interface':
        this.#interfaces.applyInfo(message)
        break
      case 'owners':
        for (const owner of message.items) this.#processes.apply(owner)
        break
      case 'flows':
        this.#waiting.push(message)
        this.#waitingRecords += message.count
        if (this.#waitingRecords > maxWaitingRecords) this.#takeWaiting(nowMs)
        break
      case 'tick':
        this.#closeTick(message)
        break
      case 'degraded':
        this.#degraded = message.reasons
        break
      case 'end':
      case 'probes':
        break
    }
  }

  helperLost(nowMs: number): void {
    if (!this.#isRunning) return
    this.#isRunning = false
    // A tick that was never closed has no interface totals to go with it: it is left out whole.
    this.#dropWaiting()
    this.#flows.endAll('captureStopped', nowMs)
    this.#interfaces.endRun()
    this.#degraded = []
    this.gap(nowMs)
  }

  gap(nowMs: number): void {
    this.#ledger.window.reset()
    if (this.#isRunning) this.#ledger.window.begin(nowMs)
    this.#hasMeasured = false
    this.#chart.beginTick(nowMs, true)
  }

  applySockets(sockets: SocketRecord[], nowMs: number): void {
    if (this.#reduced === null) return
    this.#reduced.sockets.apply(sockets, nowMs)
    this.#hasMeasured = true
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs
    const ledger = this.#ledger
    if (this.#hasMeasured) ledger.window.closeTick(nowMs)
    this.#flows.forget(nowMs)
    if (!this.#chart.beginTick(nowMs, !this.#hasMeasured)) return
    if (this.#hasMeasured) {
      const { window, captured } = ledger
      this.#chart.record(0, window.rate(captured.rxWindowBytes), window.rate(captured.txWindowBytes))
      for (const account of ledger.accounts) {
        const { rxWindowBytes, txWindowBytes } = account
        if (rxWindowBytes === 0 && txWindowBytes === 0) continue
        this.#chart.record(account.process.id, window.rate(rxWindowBytes), window.rate(txWindowBytes))
      }
    }
    this.#hasMeasured = false
  }

  openProcesses(): ListFeed<ProcessesQuery, ProcessesView> {
    return new ProcessesFeed(() => ({
      nowMs: this.#nowMs,
      ledger: this.#ledger,
      measured: this.measured,
      names: this.#names,
    }))
  }

  openConnections(): ListFeed<ConnectionsQuery, ConnectionsView> {
    return new ConnectionsFeed(() => ({
      nowMs: this.#nowMs,
      flows: this.#shownFlows,
      window: this.#ledger.window,
      measured: this.measured,
      names: this.#names,
    }))
  }

  processDetails(ownerId: number): ProcessDetails | null {
    const process = this.#processes.byId(ownerId)
    if (process === null) return null
    return processDetails(process, {
      nowMs: this.#nowMs,
      ledger: this.#ledger,
      flows: this.#shownFlows,
      processes: this.#processes,
      names: this.#names,
    })
  }

  owner(ownerId: number): Owner | null {
    return this.#processes.byId(ownerId)?.owner ?? null
  }

  status(helper: StatusView['helper']): StatusView {
    return statusView({
      nowMs: this.#nowMs,
      helper,
      mode: this.options.demo === true ? 'demo' : this.measured ? 'full' : 'reduced',
      interfaces: this.#interfaces,
      ledger: this.#ledger,
      flowCount: this.#shownFlows.liveCount,
      degraded: this.#degraded,
    })
  }

  chart(subject: ChartSubject): ChartSeries {
    return this.#chart.read(subject)
  }

  chartSample(subject: ChartSubject): ChartSample {
    return this.#chart.last(subject)
  }

  get #ledger(): Ledger {
    return this.#reduced?.ledger ?? this.#captured
  }

  get #shownFlows(): FlowTable | SocketTable {
    return this.#reduced?.sockets ?? this.#flows
  }

  #beginRun(hello: HelperHello, nowMs: number): void {
    this.helperLost(nowMs)
    this.#isRunning = true
    this.#processes.beginRun()
    this.#interfaces.beginRun()
    if (hello.mode === 'read' || hello.privileges.netRaw) {
      this.#reduced = null
    } else {
      // The kernel's counters are a measure of their own, never added to what was captured.
      const ledger = new Ledger(this.#processes)
      this.#reduced = { ledger, sockets: new SocketTable(ledger) }
    }
    this.#awaitsRecordedTime = hello.mode === 'read'
    if (hello.mode === 'live') this.#ledger.window.begin(nowMs)
  }

  #closeTick(tick: HelperTick): void {
    if (this.#awaitsRecordedTime) this.#beginRecordedTime()
    this.#takeWaiting(tick.timeMs)
    this.#interfaces.applyTotals(tick.interfaces, this.#captured.window)
    this.#hasMeasured = this.measured
  }

  /** Rates over the first tick of a file need to know when it began. */
  #beginRecordedTime(): void {
    let firstMs = Infinity
    for (const batch of this.#waiting) {
      for (let index = 0; index < batch.count; index += 1) {
        firstMs = Math.min(firstMs, batch.readRecord(index).firstSeenUs / 1000)
      }
    }
    if (firstMs === Infinity) return
    this.#captured.window.begin(firstMs)
    this.#awaitsRecordedTime = false
  }

  #takeWaiting(nowMs: number): void {
    const batches = this.#waiting
    this.#dropWaiting()
    for (const batch of batches) this.#flows.apply(batch, nowMs)
  }

  #dropWaiting(): void {
    this.#waiting = []
    this.#waitingRecords = 0
  }
}

export function createMonitor(options: MonitorOptions = {}): Monitor {
  return new TrafficMonitor(options)
}
