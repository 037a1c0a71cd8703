/**
 * Traces: which path packets take to a destination. Words and option letters are those of traceroute(8) and mtr(8).
 */
import type { Outcome } from './errors'
import { fail, succeed } from './errors'

export const traceProtocols = ['icmp', 'udp', 'tcp'] as const
export type TraceProtocol = (typeof traceProtocols)[number]

/** What a trace is asked to do. Times in milliseconds, sizes in bytes (the whole IP packet). */
export interface TraceOptions {
  /** A name or an address. */
  host: string
  family: 'any' | 4 | 6
  /** `-I` icmp, `-U` udp, `-T` tcp. */
  protocol: TraceProtocol
  /** `-p`; 0: 33434 for udp, 80 for tcp. */
  port: number
  /** `--sport`; 0: chosen by the helper. */
  sourcePort: number
  /** Classic traceroute: a new destination port for every probe. Else one constant flow key per flow (Paris). */
  stepPort: boolean
  /** `-f` */
  firstTtl: number
  /** `-m` */
  maxTtl: number
  /** `-w` */
  waitMs: number
  /** `-i` of mtr: from the start of a round to the start of the next. */
  intervalMs: number
  /** `-c` of mtr; 0: until stopped. */
  rounds: number
  /** `-q`: probes per hop, flow and round. */
  probesPerHop: number
  /** Paths that differ per flow: how many flow keys are tried at once. */
  flows: number
  /** 0: the smallest that the protocol allows. */
  packetBytes: number
  /** `-t` */
  tos: number
  /** `-s`; `''`: chosen by the kernel. */
  sourceAddress: string
  /** `-i` of traceroute; `''`: chosen by the kernel. */
  interface: string
}

export const defaultTraceOptions: Omit<TraceOptions, 'host'> = {
  family: 'any',
  protocol: 'icmp',
  port: 0,
  sourcePort: 0,
  stepPort: false,
  firstTtl: 1,
  maxTtl: 30,
  waitMs: 1000,
  intervalMs: 1000,
  rounds: 0,
  probesPerHop: 1,
  flows: 1,
  packetBytes: 0,
  tos: 0,
  sourceAddress: '',
  interface: '',
}

type NumericOption = {
  [Key in keyof TraceOptions]: TraceOptions[Key] extends number ? Key : never
}[keyof TraceOptions]

/** Ranges, with the name under which the message speaks of the option. */
export const traceOptionRanges: Record<NumericOption, { name: string; min: number; max: number }> = {
  port: { name: 'port (-p)', min: 0, max: 65535 },
  sourcePort: { name: 'source port (--sport)', min: 0, max: 65535 },
  firstTtl: { name: 'first TTL (-f)', min: 1, max: 255 },
  maxTtl: { name: 'max TTL (-m)', min: 1, max: 255 },
  waitMs: { name: 'wait (-w)', min: 100, max: 60_000 },
  intervalMs: { name: 'interval', min: 100, max: 600_000 },
  rounds: { name: 'rounds', min: 0, max: 1_000_000 },
  probesPerHop: { name: 'probes per hop (-q)', min: 1, max: 10 },
  flows: { name: 'flows', min: 1, max: 16 },
  packetBytes: { name: 'packet size', min: 0, max: 9000 },
  tos: { name: 'TOS (-t)', min: 0, max: 255 },
}

/** Checks what types can't say. The failure names the option as users know it. */
export function checkTraceOptions(options: TraceOptions): Outcome<TraceOptions> {
  if (options.host.trim() === '' || options.host.length > 253 || /[\s/]/.test(options.host)) {
    return fail(
      'badTraceOption',
      'The host is not a name or an address.',
      'Give a host name, an IPv4 or an IPv6 address.',
    )
  }
  for (const [key, range] of Object.entries(traceOptionRanges) as [
    NumericOption,
    (typeof traceOptionRanges)[NumericOption],
  ][]) {
    const value = options[key]
    if (!Number.isInteger(value) || value < range.min || value > range.max) {
      return fail(
        'badTraceOption',
        `The ${range.name} is ${value}.`,
        `Give a whole number from ${range.min} to ${range.max}.`,
      )
    }
  }
  if (options.firstTtl > options.maxTtl) {
    return fail(
      'badTraceOption',
      `The first TTL (-f) ${options.firstTtl} is above the max TTL (-m) ${options.maxTtl}.`,
      'Lower the first or raise the max TTL.',
    )
  }
  return succeed(options)
}

/** One closed probe, or an extra answer to one, as the helper tells it (native/PROTOCOL.md, "Trace"). */
export interface ProbeItem {
  traceId: number
  round: number
  flow: number
  ttl: number
  /** Unix time. */
  sentUs: number
  /** `reply`, `noReply` and `unsent` close a probe; the others are counted and never credited. */
  outcome: 'reply' | 'noReply' | 'unsent' | 'duplicate' | 'late' | 'forged'
  address?: string
  rttUs?: number
  icmpType?: number
  icmpCode?: number
  /** Flags of a TCP answer of the destination. */
  tcpFlags?: number
  /** TTL or hop limit with which the answer arrived. */
  replyTtl?: number
  /** Next-hop MTU of a "fragmentation needed" or "packet too big". */
  mtu?: number
  mpls?: MplsLabel[]
  /** Members of the quoted packet that a NAT on the way has changed. */
  quoteChanged?: string[]
  errorCode?: string
  message?: string
}

/** RFC 4950. */
export interface MplsLabel {
  label: number
  trafficClass: number
  bottom: boolean
  ttl: number
}

export interface ProbeRequest {
  ttl: number
  flow: number
}

/** What a hop's round-trip times come to. All in milliseconds; null until there is what they are made of. */
export interface RttSummary {
  lastMs: number | null
  bestMs: number | null
  avgMs: number | null
  worstMs: number | null
  /** Standard deviation of the population, as ping(8) and mtr(8) print it. */
  deviationMs: number | null
  /** Interarrival jitter, RFC 3550 section 6.4.1. */
  jitterMs: number | null
}

/** Probes of a hop, an address or a flow. sent = received + lost + open. */
export interface ProbeCounts {
  sent: number
  received: number
  /** Closed without a reply. */
  lost: number
  /** On the way. */
  open: number
  /** Of the closed ones; 0 while none are closed. */
  lossPct: number
}

export interface HopAddress extends RttSummary {
  address: string
  received: number
  /** The flows that met this address here. */
  flows: number[]
}

export interface HopFlow extends ProbeCounts, RttSummary {
  flow: number
  /** The address that answered last, `''` none yet. */
  address: string
}

/** One RTT of a hop's recent past; null: noReply. */
export interface RttSample {
  round: number
  timeMs: number
  rttMs: number | null
  /** Who answered, `''` nobody. */
  address: string
}

export interface TraceHop extends ProbeCounts, RttSummary {
  ttl: number
  /** Most answers first. */
  addresses: HopAddress[]
  flows: HopFlow[]
  /** The last 100, oldest first, over all flows. */
  samples: RttSample[]
  duplicates: number
  late: number
  forged: number
  mpls: MplsLabel[]
  /** What the quotes of this hop show to have been rewritten before it: a NAT. */
  quoteChanged: string[]
  /** Unreachable and other final answers, as traceroute marks them, with words. */
  marks: { mark: string; words: string }[]
  /** TTL of the last answer on arrival, null unknown. */
  replyTtl: number | null
  isDestination: boolean
}

export interface PathNode {
  /** `ttl:address`, or `ttl:*` for a silent hop. */
  id: string
  ttl: number
  /** `''` silent. */
  address: string
  flows: number[]
}

export interface PathLink {
  from: string
  to: string
  flows: number[]
  /** Rounds in which a flow took this link. */
  count: number
}

export interface PathGraph {
  nodes: PathNode[]
  links: PathLink[]
}

export interface TraceEvent {
  kind: 'reached' | 'pathChanged' | 'pathLengthChanged' | 'destinationLost'
  timeMs: number
  round: number
  ttl: number
  from: string
  to: string
}

/** What the numbers mean, in a plain sentence. */
export interface TraceSentence {
  code: string
  severity: 'good' | 'info' | 'warning' | 'problem'
  /** The hop that it is about, 0 none. */
  ttl: number
  text: string
}

export type TraceRunState = 'running' | 'paused' | 'finished' | 'failed'

/** Why no probe goes beyond the last hop shown. */
export type TraceStopReason = 'none' | 'destination' | 'unreachable' | 'gap' | 'maxTtl'

export interface TraceSnapshot {
  options: TraceOptions
  destination: string
  state: TraceRunState
  stopReason: TraceStopReason
  /** Rounds begun. */
  round: number
  startedMs: number
  hops: TraceHop[]
  graph: PathGraph
  events: TraceEvent[]
  sentences: TraceSentence[]
}

/** What kind of address it is, for those that no database can place. */
export type AddressKind =
  | 'public'
  | 'private'
  | 'cgnat'
  | 'loopback'
  | 'linkLocal'
  | 'uniqueLocal'
  | 'multicast'
  | 'broadcast'
  | 'documentation'
  | 'reserved'
  | 'unspecified'

export interface Place {
  /** `''` unknown. */
  city: string
  region: string
  /** ISO 3166-1 alpha-2. */
  countryCode: string
  country: string
  latitude: number
  longitude: number
  /** False when light in fibre could not have come from there in the time measured; not drawn as fact. */
  isPlausible: boolean
}

/** What must be said wherever places, and AS numbers or names, are shown: both databases are under CC BY 4.0. */
export const placeAttribution = 'IP geolocation by DB-IP.com (CC BY 4.0)'
export const asAttribution = 'AS numbers and names by RouteViews, NRO and DB-IP.com (CC BY 4.0)'

/** What the sources know of an address; members appear as they are found. */
export interface AddressInfo {
  address: string
  kind: AddressKind
  /** Reverse name, `''` none or not yet. */
  name: string
  asNumber: number | null
  asName: string
  place: Place | null
}

/** A trace as the window shows it. */
export interface TraceView extends TraceSnapshot {
  /** Given by the main process, unique in a run. */
  traceKey: number
  /** What the helper's method cannot see (no privilege), each a sentence. */
  limits: string[]
  /** Set when `state` is `failed`. */
  failure: { code: string; message: string; fix: string } | null
  /** By address, for every address in `hops` and the destination. */
  addresses: Record<string, AddressInfo>
  /** RTTs of the user's own connection to the destination, from the kernel's tcp_info; empty when there is none. */
  connectionRtts: { timeMs: number; rttMs: number }[]
}

/** One sub-tab. */
export interface TraceListItem {
  traceKey: number
  host: string
  destination: string
  protocol: TraceProtocol
  state: TraceRunState
  /** Round-trip to the destination, null unknown. */
  avgMs: number | null
  lossPct: number
}

/** The texts as traceroute(8) and mtr(8) print them, the whole truth as JSON, one line per hop as CSV, or a picture. */
export const traceExportFormats = ['traceroute', 'mtr', 'json', 'csv', 'png'] as const
export type TraceExportFormat = (typeof traceExportFormats)[number]
