/**
 * What the helper says (native/PROTOCOL.md), after the codec has checked it. The monitor takes these; nothing else knows
 * the wire.
 */
import type { ProbeItem } from './trace'
import type { Attribution, EndReason, FlowState, Reason } from './words'
import type { Degraded, Failure } from './errors'

export interface HelperHello {
  type: 'hello'
  protocol: { major: number; minor: number }
  helperVersion: string
  features: string[]
  mode: 'live' | 'read'
  privileges: { netRaw: boolean; sysPtrace: boolean; dacReadSearch: boolean }
  limits: { maxFlows: number; maxFrameBytes: number; maxControlBytes: number; maxInterfaces: number; maxOwners: number }
  bootId: string
  /** The process that was started; every other helper process is its child. */
  pid: number
}

export type LinkType = 'ethernet' | 'raw' | 'linuxSll' | 'linuxSll2' | 'null' | 'loop' | 'other'
export type InterfaceState = 'capturing' | 'down' | 'gone' | 'failed'

export interface InterfaceAddress {
  address: string
  prefixLength: number
  scope: string
}

export interface HelperInterface {
  /** Given by the helper, never reused in a run. */
  id: number
  /** The kernel's ifindex. */
  index: number
  name: string
  linkType: LinkType
  state: InterfaceState
  loopback: boolean
  linkLayerAddress: string
  mtu: number
  addresses: InterfaceAddress[]
  error?: Failure
}

export interface HelperInterfaceEvent extends HelperInterface {
  type: 'interface'
}

/** One process incarnation: pid and start time. */
export interface Owner {
  ownerId: number
  pid: number
  startTimeMs: number
  parentPid: number
  /** The kernel's comm. */
  name: string
  /** Path of the executable, `''` when it may not be read. */
  exe: string
  commandLine: string
  uid: number
  user: string
  cgroup: string
  exited: boolean
}

export interface HelperOwners {
  type: 'owners'
  items: Owner[]
}

/** One record of a flow batch. Bytes and packets are totals since the flow began. */
export interface FlowRecord {
  flowId: number
  firstSeenUs: number
  lastSeenUs: number
  rxBytes: number
  txBytes: number
  rxPackets: number
  txPackets: number
  inode: number
  localAddress: string
  remoteAddress: string
  localPort: number
  remotePort: number
  interfaceId: number
  /** 0: none. */
  ownerId: number
  /** -1: unknown. */
  uid: number
  /** 0: unknown. */
  handshakeRttUs: number
  etherType: number
  vlanId: number
  family: 0 | 4 | 6
  /** IP protocol number, 255 with family 0. */
  protocol: number
  state: FlowState
  attribution: Attribution
  reason: Reason
  ended: boolean
  initiator: 'local' | 'remote' | 'unknown'
  /** A bucket of bytes that belong to no single flow. */
  synthetic: boolean
  endReason: EndReason
  rxTcpFlags: number
  txTcpFlags: number
  retransmits: number
  payloadBytes: number
}

/** The members of a record that change from tick to tick; reading only these costs no string and no object per flow. */
export type FlowTotals = Omit<FlowRecord, 'localAddress' | 'remoteAddress'>

/**
 * A flow batch, read in place: 10,000 records a tick would otherwise make 10,000 objects a tick.
 */
export interface HelperFlows {
  type: 'flows'
  tick: number
  count: number
  /** The flowId of record `index`, to find the flow that it belongs to. */
  flowIdAt(index: number): number
  /** Writes everything but the addresses of record `index` into `target`. */
  readTotals(index: number, target: FlowTotals): void
  /** The whole record, addresses as text (RFC 5952), as a new object. */
  readRecord(index: number): FlowRecord
}

export interface HelperInterfaceTotals {
  id: number
  rxBytes: number
  txBytes: number
  rxPackets: number
  txPackets: number
  received: number
  dropped: number
  ifDropped: number
  flows: number
}

export interface HelperTick {
  type: 'tick'
  tick: number
  /** Unix time; recorded time when a file is read. */
  timeMs: number
  interfaces: HelperInterfaceTotals[]
  lookup: { pending: number; overloaded: number }
}

export interface HelperDegraded {
  type: 'degraded'
  reasons: Degraded[]
}

export interface HelperEnd {
  type: 'end'
  reason: 'endOfFile' | 'damagedFile'
  packets: number
  offsetBytes: number
  message: string
  fix: string
}

/** A socket as the kernel lists it; addresses as text. */
export interface SocketRecord {
  inode: number
  localAddress: string
  remoteAddress: string
  localPort: number
  remotePort: number
  ownerId: number
  uid: number
  interfaceIndex: number
  rxQueueBytes: number
  txQueueBytes: number
  family: number
  protocol: number
  state: string
  reason: Reason
  /** Payload totals that the kernel keeps for TCP; 0 for others. */
  rxBytes: number
  txBytes: number
  /** Smoothed round-trip time of TCP (RFC 6298), 0 unknown. */
  rttUs: number
  rttVarianceUs: number
  retransmits: number
  /** Segments. */
  congestionWindow: number
}

/** What came of probes; each is told once, in the order of arrival. */
export interface HelperProbes {
  type: 'probes'
  items: ProbeItem[]
}

/** What comes from the helper unasked, in order. Probes are the traces' business, the rest the monitor's. */
export type HelperMessage =
  | HelperHello
  | HelperInterfaceEvent
  | HelperOwners
  | HelperFlows
  | HelperTick
  | HelperDegraded
  | HelperEnd
  | HelperProbes

export interface LinkAddress extends InterfaceAddress {
  flags: string[]
  /** Seconds; absent: forever. */
  validS?: number
  preferredS?: number
}

export interface Link {
  index: number
  name: string
  kind: string
  flags: string[]
  operState: string
  linkLayerAddress: string
  mtu: number
  master?: string
  parent?: string
  rxBytes: number
  txBytes: number
  rxPackets: number
  txPackets: number
  rxErrors: number
  txErrors: number
  rxDropped: number
  txDropped: number
  addresses: LinkAddress[]
}

export interface Route {
  family: 4 | 6
  destination: string
  gateway?: string
  interface?: string
  source?: string
  metric?: number
  table: string
  protocol: string
  scope: string
  type: string
  nextHops?: { gateway: string; interface: string; weight: number }[]
}

export interface Neighbor {
  family: 4 | 6
  address: string
  linkLayerAddress: string
  interface: string
  nudState: string
  router: boolean
}
