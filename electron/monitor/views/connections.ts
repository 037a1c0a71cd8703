/**
 * The Connections tab: which flows there are.
 */
import type { ConnectionsQuery, ConnectionsView, FlowColumn } from '../../shared/views'
import type { Flow } from '../flow'
import type { RateWindow } from '../rate-window'
import { addressSortKey } from './address-key'
import { filterWords, matches } from './filter'
import { flowRow, protocolLabel, searchText, type Names } from './flow-rows'
import { OrderedPages } from './ordered-pages'

export interface FlowSource {
  forEach(visit: (flow: Flow) => void): void
}

export interface ConnectionsSource {
  nowMs: number
  flows: FlowSource
  window: RateWindow
  measured: boolean
  names: Names
}

/** A flow with what it is sorted by, made once per answer instead of once per comparison. */
interface Keyed {
  flow: Flow
  key: number | string
  /** Decides where the keys are equal. */
  port: number
}

export class ConnectionsFeed {
  readonly #pages = new OrderedPages<Keyed>(({ flow }) => flow.id)

  constructor(private readonly source: () => ConnectionsSource) {}

  /** `tcpCount` and `nonTcpCount` are of the rows that pass the filter, whichever group is shown. */
  view(query: ConnectionsQuery): ConnectionsView {
    const { nowMs, flows, window, measured, names } = this.source()
    const words = filterWords(query.filter)
    const keyed: Keyed[] = []
    const keyOf = sortKey(query.sort.column, names)
    const portOf = sortPort(query.sort.column)
    let totalCount = 0
    let tcpCount = 0
    let nonTcpCount = 0
    flows.forEach((flow) => {
      totalCount += 1
      if (words.length > 0 && !matches(words, searchText(flow, names))) return
      if (flow.isTcp) tcpCount += 1
      else nonTcpCount += 1
      if (query.group !== 'all' && (query.group === 'tcp') !== flow.isTcp) return
      keyed.push({ flow, key: keyOf(flow), port: portOf(flow) })
    })
    const rows = this.#pages.page(keyed, query.sort.descending ? descending : ascending, {
      offset: query.offset,
      limit: query.limit,
      holdOrder: query.holdOrder,
      orderKey: `${query.sort.column} ${query.sort.descending} ${query.group}`,
    })
    return {
      timeMs: nowMs,
      offset: query.offset,
      rowCount: keyed.length,
      totalCount,
      rows: rows.map(({ flow }) => flowRow(flow, nowMs, window, names)),
      tcpCount,
      nonTcpCount,
      measured,
    }
  }
}

function compareKeys(a: Keyed, b: Keyed): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : a.port - b.port
}

/** Equal rows stand in the order in which they appeared, whichever way the list is sorted. */
function ascending(a: Keyed, b: Keyed): number {
  return compareKeys(a, b) || a.flow.id - b.flow.id
}

function descending(a: Keyed, b: Keyed): number {
  return compareKeys(b, a) || a.flow.id - b.flow.id
}

/** After every name that a process can have. */
const afterNames = '\u{10ffff}'

function sortKey(column: FlowColumn, names: Names): (flow: Flow) => number | string {
  switch (column) {
    case 'process':
      return ({ process }) => process?.owner.name.toLowerCase() ?? afterNames
    case 'protocol':
      return (flow) => protocolLabel(flow, names)
    case 'local':
      return cachedAddressKey(({ localAddress }) => localAddress)
    case 'remote':
      return cachedAddressKey(({ remoteAddress }) => remoteAddress)
    case 'state':
      return ({ state }) => state
    case 'rxPackets':
    case 'txPackets':
    case 'rxBytes':
    case 'txBytes':
      return (flow) => flow[column]
    case 'rxRate':
      return ({ rxWindowBytes }) => rxWindowBytes
    case 'txRate':
      return ({ txWindowBytes }) => txWindowBytes
    case 'age':
      // The older a flow, the earlier it was first seen.
      return ({ firstSeenUs }) => -firstSeenUs
  }
}

/** Few addresses stand in many flows: each is taken apart once per answer. */
function cachedAddressKey(addressOf: (flow: Flow) => string): (flow: Flow) => string {
  const keys = new Map<string, string>()
  return (flow) => {
    const address = addressOf(flow)
    let key = keys.get(address)
    if (key === undefined) {
      key = addressSortKey(address)
      keys.set(address, key)
    }
    return key
  }
}

function sortPort(column: FlowColumn): (flow: Flow) => number {
  if (column === 'local') return ({ localPort }) => localPort
  if (column === 'remote') return ({ remotePort }) => remotePort
  return () => 0
}
