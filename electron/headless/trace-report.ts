/**
 * What `trace` says: lines for programs, or a table for people that is drawn anew while the trace goes on.
 */
import { hostname } from 'node:os'
import { asMtr, asTraceroute } from '../monitor/trace/text-formats'
import type { AddressInfo, TraceHop, TraceView } from '../shared/trace'
import type { Format, Output } from './output'
import { printable } from './output'
import { Screen } from './screen'

export interface TraceReport {
  /** A round has closed at a hop. */
  hop(round: number, ttl: number): void
  /** Something has changed. */
  changed(): void
  summary(): void
  /** Leaves the terminal as it was. */
  close(): void
}

export function createTraceReport(
  format: Format,
  numeric: boolean,
  view: () => TraceView,
  output: Output,
): TraceReport {
  return format === 'jsonl' ? new LineReport(view, output) : new TextReport(numeric, view, output)
}

class LineReport implements TraceReport {
  constructor(
    private readonly view: () => TraceView,
    private readonly output: Output,
  ) {}

  hop(round: number, ttl: number): void {
    const view = this.view()
    const hop = view.hops.find((one) => one.ttl === ttl)
    // Beyond the destination there is none.
    if (hop !== undefined) this.output.line({ type: 'hop', round, ...hopMembers(hop, view) })
  }

  changed(): void {
    // A line is due only when a round has closed.
  }

  summary(): void {
    const view = this.view()
    const { options, destination, state, stopReason, round, startedMs, events, sentences, limits, graph } = view
    this.output.line({
      type: 'summary',
      host: options.host,
      destination,
      protocol: options.protocol,
      state,
      stopReason,
      reached: stopReason === 'destination',
      rounds: round,
      startedMs,
      hops: view.hops.map((hop) => hopMembers(hop, view)),
      graph,
      events,
      sentences,
      limits,
    })
  }

  close(): void {
    // Nothing was changed on the terminal.
  }
}

/** A hop with totals since the start; `hosts` has what is known of each address. */
function hopMembers(hop: TraceHop, view: TraceView): object {
  const { ttl, samples: _samples, addresses, ...members } = hop
  return {
    ttl,
    addresses: addresses.map(({ address }) => address),
    hosts: addresses.map(({ flows, ...one }) => ({ ...knownOf(view.addresses[one.address]), ...one, flows })),
    ...members,
  }
}

function knownOf(info: AddressInfo | undefined): object {
  if (info === undefined) return {}
  const { kind, name, asNumber, asName, place } = info
  return { kind, name, asNumber, asName, place }
}

/** Drawn at most this often. */
const drawMs = 250

class TextReport implements TraceReport {
  readonly #screen: Screen
  #timer: NodeJS.Timeout | null = null

  constructor(
    readonly numeric: boolean,
    private readonly view: () => TraceView,
    private readonly output: Output,
  ) {
    this.#screen = new Screen(output)
  }

  hop(): void {
    // The table shows every hop at once.
  }

  changed(): void {
    if (this.output.terminal === null) return
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#draw()
    }, drawMs)
  }

  summary(): void {
    this.#leave()
    const view = this.view()
    this.output.text(`${plainLines(asTraceroute(view, this)).join('\n')}\n`)
    const remarks = [...view.sentences.map(({ text }) => text), ...view.limits]
    if (remarks.length > 0) this.output.text(`\n${remarks.map(printable).join('\n')}\n`)
  }

  close(): void {
    this.#leave()
  }

  #draw(): void {
    const { terminal } = this.output
    if (terminal === null) return
    const view = this.view()
    const lines = [
      ...plainLines(asMtr(view, hostname(), this)),
      '',
      ...view.sentences.map(({ text }) => printable(text)),
    ]
    this.#screen.show(lines.slice(0, terminal.rows - 1).map((line) => line.slice(0, terminal.columns)))
  }

  #leave(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#screen.leave()
  }
}

/** Names come from strangers' name servers. */
function plainLines(text: string): string[] {
  return text.trimEnd().split('\n').map(printable)
}
