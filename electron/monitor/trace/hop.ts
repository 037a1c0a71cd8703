/** Everything that one ttl of a trace has told so far. */
import type { HopAddress, HopFlow, MplsLabel, ProbeItem, RttSample, TraceHop } from '../../shared/trace'
import type { Answer } from './answers'
import { ProbeTally, RttStatistics } from './rtt-statistics'

const keptSamples = 100

/** A forger who answers each probe from a new address is counted in the hop, but gets no line of its own beyond this. */
const maxAddressesPerHop = 64

class AddressRecord {
  readonly statistics = new RttStatistics()
  readonly flows = new Set<number>()
  received = 0

  constructor(readonly address: string) {}

  view(): HopAddress {
    return {
      address: this.address,
      received: this.received,
      flows: [...this.flows].sort((a, b) => a - b),
      ...this.statistics.summary(),
    }
  }
}

class FlowRecord {
  readonly tally = new ProbeTally()
  readonly statistics = new RttStatistics()
  address = ''

  constructor(readonly flow: number) {}

  view(): HopFlow {
    return { flow: this.flow, address: this.address, ...this.tally.counts(), ...this.statistics.summary() }
  }
}

export class Hop {
  readonly #tally = new ProbeTally()
  readonly #statistics = new RttStatistics()
  readonly #addresses = new Map<string, AddressRecord>()
  readonly #flows = new Map<number, FlowRecord>()
  readonly #samples: RttSample[] = []
  readonly #marks = new Map<string, string>()
  readonly #quoteChanged = new Set<string>()
  readonly #extras = { duplicate: 0, late: 0, forged: 0 }
  #mpls: MplsLabel[] = []
  #replyTtl: number | null = null
  #isDestination = false

  constructor(readonly ttl: number) {}

  sent(flow: number): void {
    this.#tally.send()
    this.#flow(flow).tally.send()
  }

  unsent(flow: number): void {
    this.#tally.unsend()
    this.#flow(flow).tally.unsend()
  }

  lost(item: ProbeItem): void {
    this.#tally.lose()
    this.#flow(item.flow).tally.lose()
    this.#addSample(item, null)
  }

  replied(item: ProbeItem, answer: Answer): void {
    const rttMs = (item.rttUs ?? 0) / 1000
    const address = item.address ?? ''
    const flow = this.#flow(item.flow)
    this.#tally.receive()
    flow.tally.receive()
    this.#statistics.add(rttMs)
    flow.statistics.add(rttMs)
    flow.address = address
    const record = this.#address(address)
    if (record !== null) {
      record.received += 1
      record.flows.add(item.flow)
      record.statistics.add(rttMs)
    }
    this.#addSample(item, rttMs)
    if (item.mpls !== undefined && item.mpls.length > 0) this.#mpls = item.mpls
    for (const member of item.quoteChanged ?? []) this.#quoteChanged.add(member)
    if (answer.mark !== '') this.#marks.set(answer.mark, answer.words)
    this.#replyTtl = item.replyTtl ?? this.#replyTtl
    this.#isDestination = answer.kind === 'destination'
  }

  /** An answer that is counted and never credited. */
  extra(outcome: 'duplicate' | 'late' | 'forged'): void {
    this.#extras[outcome] += 1
  }

  view(): TraceHop {
    return {
      ttl: this.ttl,
      addresses: [...this.#addresses.values()].map((record) => record.view()).sort((a, b) => b.received - a.received),
      flows: [...this.#flows.values()].map((record) => record.view()).sort((a, b) => a.flow - b.flow),
      samples: [...this.#samples],
      duplicates: this.#extras.duplicate,
      late: this.#extras.late,
      forged: this.#extras.forged,
      mpls: this.#mpls,
      quoteChanged: [...this.#quoteChanged],
      marks: [...this.#marks].map(([mark, words]) => ({ mark, words })),
      replyTtl: this.#replyTtl,
      isDestination: this.#isDestination,
      ...this.#tally.counts(),
      ...this.#statistics.summary(),
    }
  }

  #addSample(item: ProbeItem, rttMs: number | null): void {
    const address = rttMs === null ? '' : (item.address ?? '')
    this.#samples.push({ round: item.round, timeMs: item.sentUs / 1000, rttMs, address })
    if (this.#samples.length > keptSamples) this.#samples.shift()
  }

  #flow(flow: number): FlowRecord {
    let record = this.#flows.get(flow)
    if (record === undefined) {
      record = new FlowRecord(flow)
      this.#flows.set(flow, record)
    }
    return record
  }

  #address(address: string): AddressRecord | null {
    const known = this.#addresses.get(address)
    if (known !== undefined) return known
    if (this.#addresses.size >= maxAddressesPerHop) return null
    const record = new AddressRecord(address)
    this.#addresses.set(address, record)
    return record
  }
}
