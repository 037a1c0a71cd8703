/**
 * A trace as text: as traceroute(8) and mtr(8) print it, as CSV, and as JSON. Pure; whoever has a terminal or a file
 * writes it out.
 */
import { asAttribution, placeAttribution } from '../../shared/trace'
import type { AddressInfo, HopAddress, TraceHop, TraceView } from '../../shared/trace'

export interface TextOptions {
  /** `-n`: addresses only, no names. */
  numeric: boolean
}

/** Packets of traceroute(8) when no size is given: the whole IP packet. */
const defaultPacketBytes = { 4: 60, 6: 80 } as const

/** Times that one line of traceroute shows for a hop at least; of a round either all or none are shown. */
const shownTimes = 3

/** As traceroute(8) prints it: one line per hop, the latest times, each after the host that answered. */
export function asTraceroute(view: TraceView, options: TextOptions): string {
  const { host, maxTtl, packetBytes } = view.options
  const size = packetBytes || defaultPacketBytes[view.destination.includes(':') ? 6 : 4]
  const head = `traceroute to ${host} (${view.destination}), ${maxTtl} hops max, ${size} byte packets`
  return lines([head, ...view.hops.map((hop) => tracerouteLine(hop, view, options))])
}

function tracerouteLine(hop: TraceHop, view: TraceView, options: TextOptions): string {
  const { probesPerHop, flows } = view.options
  const perRound = probesPerHop * flows
  const shown = perRound * Math.ceil(shownTimes / perRound)
  let text = `${String(hop.ttl).padStart(2)} `
  let before = ''
  for (const { rttMs, address } of hop.samples.slice(-shown)) {
    if (rttMs === null) text += ' *'
    else text += `${address === before ? '' : ` ${hostText(address, view, options)}`}  ${rttMs.toFixed(3)} ms`
    before = rttMs === null ? before : address
  }
  const mpls = hop.mpls.map(
    (label) => `<MPLS:L=${label.label},E=${label.trafficClass},S=${Number(label.bottom)},T=${label.ttl}>`,
  )
  return [text, ...mpls, ...hop.marks.map(({ mark }) => mark)].join(' ')
}

function hostText(address: string, view: TraceView, { numeric }: TextOptions): string {
  if (numeric) return address
  return `${view.addresses[address]?.name || address} (${address})`
}

/** Widths as in mtr's report. */
const mtrHostWidth = 24

/** As `mtr --report` prints it. */
export function asMtr(view: TraceView, localName: string, options: TextOptions): string {
  const width = Math.max(
    mtrHostWidth,
    ...view.hops.flatMap((hop) => hop.addresses.map((one) => mtrName(one.address, view, options).length)),
  )
  const start = `Start: ${new Date(view.startedMs).toISOString().replace(/\.\d+Z$/, '+0000')}`
  const head = `HOST: ${localName.padEnd(width + 2)}  Loss%   Snt   Last   Avg  Best  Wrst StDev`
  return lines([start, head, ...view.hops.flatMap((hop) => mtrLines(hop, view, width, options))])
}

function mtrLines(hop: TraceHop, view: TraceView, width: number, options: TextOptions): string[] {
  const [first, ...others] = hop.addresses
  const name = first === undefined ? '???' : mtrName(first.address, view, options)
  const closed = hop.received + hop.lost
  const loss = hop.received === 0 && closed > 0 ? ' 100.0' : `${hop.lossPct.toFixed(1).padStart(5)}%`
  const times = [hop.lastMs, hop.avgMs, hop.bestMs, hop.worstMs, hop.deviationMs]
  const figures = times.map((ms) => (ms ?? 0).toFixed(1).padStart(6)).join('')
  const own = `${String(hop.ttl).padStart(3)}.|-- ${name.padEnd(width)} ${loss} ${String(closed).padStart(5)} ${figures}`
  return [own, ...others.map((one) => `    |  \`|-- ${mtrName(one.address, view, options)}`)]
}

function mtrName(address: string, view: TraceView, { numeric }: TextOptions): string {
  return (numeric ? '' : view.addresses[address]?.name) || address
}

interface CsvColumn {
  title: string
  value(hop: TraceHop, one: HopAddress | undefined, info: AddressInfo | undefined): string | number | null
}

const csvColumns: readonly CsvColumn[] = [
  { title: 'ttl', value: (hop) => hop.ttl },
  { title: 'address', value: (_, one) => one?.address ?? '' },
  { title: 'name', value: (_, __, info) => info?.name ?? '' },
  { title: 'kind', value: (_, __, info) => info?.kind ?? '' },
  { title: 'asNumber', value: (_, __, info) => info?.asNumber ?? null },
  { title: 'asName', value: (_, __, info) => info?.asName ?? '' },
  { title: 'city', value: (_, __, info) => info?.place?.city ?? '' },
  { title: 'country', value: (_, __, info) => info?.place?.country ?? '' },
  { title: 'placeIsPlausible', value: (_, __, info) => (info?.place ? String(info.place.isPlausible) : '') },
  { title: 'isDestination', value: (hop) => String(hop.isDestination) },
  { title: 'sent', value: (hop) => hop.sent },
  { title: 'hopReceived', value: (hop) => hop.received },
  { title: 'lossPct', value: (hop) => round(hop.lossPct) },
  { title: 'received', value: (_, one) => one?.received ?? 0 },
  { title: 'lastMs', value: (_, one) => round(one?.lastMs) },
  { title: 'bestMs', value: (_, one) => round(one?.bestMs) },
  { title: 'avgMs', value: (_, one) => round(one?.avgMs) },
  { title: 'worstMs', value: (_, one) => round(one?.worstMs) },
  { title: 'deviationMs', value: (_, one) => round(one?.deviationMs) },
  { title: 'jitterMs', value: (_, one) => round(one?.jitterMs) },
  { title: 'mpls', value: (hop) => hop.mpls.map(({ label }) => label).join(' ') },
  { title: 'marks', value: (hop) => hop.marks.map(({ mark }) => mark).join(' ') },
]

/** RFC 4180 with a head line: a line per hop and address, one for a silent hop. sent and lossPct are the hop's. */
export function asCsv(view: TraceView): string {
  const rows = view.hops.flatMap((hop) =>
    (hop.addresses.length === 0 ? [undefined] : hop.addresses).map((one) =>
      csvColumns.map(({ value }) => csvField(value(hop, one, one && view.addresses[one.address]))).join(','),
    ),
  )
  return `${[csvColumns.map(({ title }) => title).join(','), ...rows].join('\r\n')}\r\n`
}

function csvField(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Everything that the window knows, for programs. */
export function asJson(view: TraceView): string {
  const { traceKey: _key, ...rest } = view
  return `${JSON.stringify({ ...rest, attributions: [placeAttribution, asAttribution] }, null, 2)}\n`
}

/** Microseconds are what the clocks give. */
function round(value: number | null | undefined): number | null {
  return value === null || value === undefined ? null : Math.round(value * 1000) / 1000
}

function lines(all: string[]): string {
  return `${all.join('\n')}\n`
}
