/**
 * What the window shows. A view is a finished page of rows: the window sorts, filters and counts nothing itself, and
 * never gets more rows than it draws. Rates are bytes per second, sizes bytes, times Unix milliseconds.
 */
import type { Degraded } from './errors'
import type { Owner, InterfaceState, LinkType } from './helper-messages'
import type { Attribution, EndReason, FlowState, Reason } from './words'

export interface Sort<Column extends string> {
  column: Column
  descending: boolean
}

/** Which part of a list the window shows, in which order. */
export interface ListQuery<Column extends string> {
  sort: Sort<Column>
  /** Free text: every word must occur in one of the row's texts; `''` for all. */
  filter: string
  offset: number
  /** At most `maxRowsPerView`. */
  limit: number
  /** Keep the order of the last answer (the pointer is over the rows): known rows keep their places, new ones go last. */
  holdOrder: boolean
}

export const maxRowsPerView = 300

export interface Traffic {
  rxBytes: number
  txBytes: number
  rxPackets: number
  txPackets: number
  rxRate: number
  txRate: number
}

/** Head of every list view. */
export interface ListView<Row> {
  timeMs: number
  offset: number
  /** Rows that pass the filter. */
  rowCount: number
  /** Rows in all. */
  totalCount: number
  rows: Row[]
}

export type ProcessColumn = 'name' | 'pid' | 'user' | 'rxRate' | 'txRate' | 'rxBytes' | 'txBytes' | 'flows' | 'share'
export type ProcessesQuery = ListQuery<ProcessColumn>

export interface ProcessRow extends Traffic {
  ownerId: number
  pid: number
  name: string
  exe: string
  user: string
  /** Live flows. */
  flows: number
  /** Part of all captured bytes per second now; of all bytes since the start when nothing moves. */
  sharePct: number
  exited: boolean
}

export interface UnattributedReason {
  reason: Reason
  bytes: number
  rate: number
  flows: number
}

export interface UnattributedRow extends Traffic {
  flows: number
  sharePct: number
  /** Largest first; bytes sum to rxBytes + txBytes. */
  reasons: UnattributedReason[]
}

export interface ProcessesView extends ListView<ProcessRow> {
  unattributed: UnattributedRow
  /** Everything captured: rows in all plus unattributed, to the byte. */
  captured: Traffic
  /** False in the reduced mode, in which rates and totals are those that the kernel keeps per TCP socket, or missing. */
  measured: boolean
}

export type FlowGroup = 'tcp' | 'nonTcp'
export type FlowColumn =
  | 'process'
  | 'protocol'
  | 'local'
  | 'remote'
  | 'state'
  | 'rxPackets'
  | 'txPackets'
  | 'rxBytes'
  | 'txBytes'
  | 'rxRate'
  | 'txRate'
  | 'age'

export interface ConnectionsQuery extends ListQuery<FlowColumn> {
  group: FlowGroup | 'all'
}

export interface FlowRow extends Traffic {
  flowId: number
  ownerId: number
  pid: number
  process: string
  /** 'TCP', 'UDP', 'ICMP', 'ARP', or the number. */
  protocol: string
  family: 0 | 4 | 6
  localAddress: string
  localPort: number
  remoteAddress: string
  remotePort: number
  /** Name of the service at the well-known end, `''` unknown. */
  service: string
  interface: string
  state: FlowState
  ageMs: number
  attribution: Attribution
  reason: Reason
  ended: boolean
  endReason: EndReason
  retransmits: number
  /** 0: unknown. */
  handshakeRttMs: number
}

export interface ConnectionsView extends ListView<FlowRow> {
  tcpCount: number
  nonTcpCount: number
  measured: boolean
}

export interface ProcessDetails {
  owner: Owner
  /** Nearest first. */
  parents: { pid: number; name: string }[]
  traffic: Traffic
  /** Busiest first, at most 100. */
  flows: FlowRow[]
  flowCount: number
}

/** Times in seconds (uPlot's convention), rates in bytes per second; a null rate is a gap. */
export interface ChartSeries {
  timesS: number[]
  rxRates: (number | null)[]
  txRates: (number | null)[]
}

export interface ChartSample {
  timeS: number
  rxRate: number | null
  txRate: number | null
}

/** 0 is everything captured; else an ownerId. */
export type ChartSubject = number

export type HelperState = 'starting' | 'running' | 'restarting' | 'failed' | 'stopped'

export interface InterfaceStatus {
  id: number
  name: string
  state: InterfaceState
  linkType: LinkType
  loopback: boolean
  addresses: string[]
  rxRate: number
  txRate: number
  rxBytes: number
  txBytes: number
  rxPackets: number
  txPackets: number
  received: number
  dropped: number
  ifDropped: number
}

export interface StatusView {
  timeMs: number
  helper: { state: HelperState; version: string; pid: number; restarts: number; message: string }
  /** full: capturing; reduced: sockets only; demo: scripted helper. */
  mode: 'full' | 'reduced' | 'demo'
  interfaces: InterfaceStatus[]
  received: number
  dropped: number
  captured: Traffic
  flowCount: number
  degraded: Degraded[]
  /** The grant button would help. */
  grantOffered: boolean
}

export type Theme = 'system' | 'light' | 'dark'

export interface Settings {
  theme: Theme
  rateUnit: 'byte' | 'bit'
  unitSystem: 'si' | 'iec'
  loopback: boolean
  /** Ask name servers for the names of addresses. */
  reverseNames: boolean
}

export const defaultSettings: Settings = {
  theme: 'system',
  rateUnit: 'byte',
  unitSystem: 'si',
  loopback: false,
  reverseNames: true,
}
