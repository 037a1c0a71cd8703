/**
 * What `monitor` says, in either format.
 */
import type { ListFeed, Monitor } from '../monitor/monitor'
import type { ConnectionsQuery, ConnectionsView, ProcessesQuery, ProcessesView, StatusView } from '../shared/views'
import { helloLine, totalsLine } from './monitor-lines'
import { monitorTable } from './monitor-table'
import type { Format, Output } from './output'
import { Screen } from './screen'

export interface ReportOptions {
  format: Format
  /** Every flow too. */
  flows: boolean
  /** Only rows in which every word occurs. */
  filter: string
}

export interface Report {
  /** Capture runs. */
  hello(helper: StatusView['helper']): void
  tick(helper: StatusView['helper']): void
  /** Something is missing, or is not any more. */
  degraded(helper: StatusView['helper']): void
  summary(helper: StatusView['helper']): void
  /** Leaves the terminal as it was. */
  close(): void
}

/** The monitor's views, whole. */
class Views {
  readonly #processes: ListFeed<ProcessesQuery, ProcessesView>
  readonly #connections: ListFeed<ConnectionsQuery, ConnectionsView>

  constructor(
    private readonly options: ReportOptions,
    private readonly monitor: Monitor,
  ) {
    this.#processes = monitor.openProcesses()
    this.#connections = monitor.openConnections()
  }

  status(helper: StatusView['helper']): StatusView {
    return this.monitor.status(helper)
  }

  processes(): ProcessesView {
    const { filter } = this.options
    const sort = { column: 'share', descending: true } as const
    return this.#processes.view({ sort, filter, offset: 0, limit: Infinity, holdOrder: false })
  }

  /** Null without `--flows`. */
  flows(limit: number): ConnectionsView['rows'] | null {
    const { flows, filter, format } = this.options
    if (!flows) return null
    const column = format === 'table' ? 'rxRate' : 'age'
    const sort = { column, descending: true } as const
    return this.#connections.view({ sort, filter, offset: 0, limit, holdOrder: false, group: 'all' }).rows
  }
}

class JsonReport implements Report {
  readonly #views: Views
  #hasReasons = false

  constructor(
    options: ReportOptions,
    monitor: Monitor,
    private readonly output: Output,
  ) {
    this.#views = new Views(options, monitor)
  }

  hello(helper: StatusView['helper']): void {
    this.output.line(helloLine(this.#views.status(helper)))
  }

  tick(helper: StatusView['helper']): void {
    this.#totals('tick', helper)
  }

  degraded(helper: StatusView['helper']): void {
    const reasons = this.#views.status(helper).degraded
    // An empty list is news only after a full one.
    if (reasons.length > 0 || this.#hasReasons) this.output.line({ type: 'degraded', reasons })
    this.#hasReasons = reasons.length > 0
  }

  summary(helper: StatusView['helper']): void {
    this.#totals('summary', helper)
  }

  close(): void {
    // Nothing was changed on the terminal.
  }

  #totals(type: 'tick' | 'summary', helper: StatusView['helper']): void {
    const views = this.#views
    this.output.line(totalsLine(type, views.status(helper), views.processes(), views.flows(Infinity)))
  }
}

class TableReport implements Report {
  readonly #views: Views
  readonly #screen: Screen

  constructor(
    options: ReportOptions,
    monitor: Monitor,
    private readonly output: Output,
  ) {
    this.#views = new Views(options, monitor)
    this.#screen = new Screen(output)
  }

  hello(helper: StatusView['helper']): void {
    // On a terminal the frame stands at once; elsewhere an empty table would be the first report.
    if (this.output.terminal !== null) this.tick(helper)
  }

  tick(helper: StatusView['helper']): void {
    this.#screen.show(this.#table(helper, this.output.terminal))
  }

  degraded(): void {
    // The table itself says what is missing.
  }

  summary(helper: StatusView['helper']): void {
    this.#screen.leave()
    this.output.text(`${this.#table(helper, null).join('\n')}\n`)
  }

  close(): void {
    this.#screen.leave()
  }

  #table(helper: StatusView['helper'], size: Output['terminal']): string[] {
    const views = this.#views
    return monitorTable(views.status(helper), views.processes(), views.flows(100), size)
  }
}

export function createReport(options: ReportOptions, monitor: Monitor, output: Output): Report {
  return options.format === 'jsonl'
    ? new JsonReport(options, monitor, output)
    : new TableReport(options, monitor, output)
}
