/** Plays the traces of test/fixtures/traces and compares what is read from them. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compareConnectionRtt } from '../../../../electron/monitor/trace/sentences'
import { TraceRun, type ProbeOrder } from '../../../../electron/monitor/trace/trace-run'
import {
  defaultTraceOptions,
  type ProbeItem,
  type TraceOptions,
  type TraceSentence,
  type TraceSnapshot,
} from '../../../../electron/shared/trace'

interface HopScript {
  address?: string
  addresses?: string[]
  rttMs: number
  answersEvery?: number
  losesEvery?: number
  icmp?: [type: number, code: number]
  tcpFlags?: number
  mtu?: number
  quoteChanged?: string[]
  extras?: ProbeItem['outcome'][]
}

interface Scenario {
  about: string
  options: Partial<TraceOptions>
  destination: string
  rounds: { repeat: number; hops: (HopScript | null)[] }[]
  connectionRttMs?: number
  expect: {
    stopReason: TraceSnapshot['stopReason']
    hopCount?: number
    lossPct?: Record<string, number>
    received?: Record<string, number>
    marks?: Record<string, string[]>
    extras?: Record<string, object>
    events?: string[]
    nodes?: number
    links?: number
    sentences: TraceSentence[] | null
  }
}

const folder = new URL('../../../fixtures/traces/', import.meta.url)
const scenarios = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({
    name: name.replace('.json', ''),
    scenario: JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Scenario,
  }))

/** Answers one order as the hops of the block do; `asked` counts the probes per ttl. */
function answers(
  order: ProbeOrder,
  hops: (HopScript | null)[],
  scenario: Scenario,
  asked: Map<number, number>,
): ProbeItem[] {
  const isV6 = scenario.destination.includes(':')
  return order.probes.flatMap(({ ttl, flow }): ProbeItem[] => {
    const item = { traceId: 1, round: order.round, flow, ttl, sentUs: order.round * 1_000_000 }
    const count = (asked.get(ttl) ?? 0) + 1
    asked.set(ttl, count)
    const last = hops.at(-1)
    const endsHere = last?.address === scenario.destination || last?.icmp !== undefined
    const hop = hops[ttl - 1] ?? (ttl > hops.length && endsHere ? last : null)
    const isLost = count % (hop?.answersEvery ?? 1) !== 0 || count % (hop?.losesEvery ?? Infinity) === 0
    if (!hop || isLost) return [{ ...item, outcome: 'noReply' }]
    const address = hop.address ?? hop.addresses?.[flow % hop.addresses.length] ?? ''
    const { icmp, tcpFlags, mtu, quoteChanged } = hop
    const [icmpType, icmpCode] = icmp ?? (address === scenario.destination ? [isV6 ? 129 : 0, 0] : [isV6 ? 3 : 11, 0])
    const reply: ProbeItem = {
      ...item,
      outcome: 'reply',
      address,
      rttUs: hop.rttMs * 1000,
      ...(tcpFlags === undefined ? { icmpType, icmpCode } : { tcpFlags }),
      ...(mtu === undefined ? {} : { mtu }),
      ...(quoteChanged === undefined ? {} : { quoteChanged }),
    }
    return [reply, ...(hop.extras ?? []).map((outcome): ProbeItem => ({ ...item, outcome, address }))]
  })
}

function play(scenario: Scenario): TraceSnapshot {
  const rounds = scenario.rounds.flatMap(({ repeat, hops }) => Array.from({ length: repeat }, () => hops))
  const options = { ...defaultTraceOptions, host: scenario.destination, rounds: rounds.length, ...scenario.options }
  const run = new TraceRun(options, scenario.destination, 0)
  const asked = new Map<number, number>()
  rounds.forEach((hops, index) => {
    const nowMs = index * options.intervalMs
    for (let order = run.nextProbes(nowMs); order !== null; order = run.nextProbes(nowMs)) {
      run.apply(answers(order, hops, scenario, asked), nowMs)
    }
  })
  return run.snapshot()
}

describe.each(scenarios)('$name', ({ scenario }) => {
  const wanted = scenario.expect
  const snapshot = play(scenario)
  const perTtl = <Value>(read: (hop: TraceSnapshot['hops'][number]) => Value, like: object | undefined) =>
    Object.fromEntries(
      snapshot.hops.filter(({ ttl }) => like && String(ttl) in like).map((hop) => [String(hop.ttl), read(hop)]),
    )

  it(scenario.about, () => {
    expect(snapshot.state).toBe('finished')
    expect(snapshot.stopReason).toBe(wanted.stopReason)
    if (wanted.hopCount !== undefined) expect(snapshot.hops).toHaveLength(wanted.hopCount)
    expect(perTtl((hop) => hop.lossPct, wanted.lossPct)).toEqual(wanted.lossPct ?? {})
    expect(perTtl((hop) => hop.received, wanted.received)).toEqual(wanted.received ?? {})
    expect(perTtl((hop) => hop.marks.map(({ mark }) => mark), wanted.marks)).toEqual(wanted.marks ?? {})
    expect(perTtl(({ duplicates, late, forged }) => ({ duplicates, late, forged }), wanted.extras)).toEqual(
      wanted.extras ?? {},
    )
    if (wanted.events !== undefined) expect(snapshot.events.map(({ kind }) => kind)).toEqual(wanted.events)
    if (wanted.nodes !== undefined) expect(snapshot.graph.nodes).toHaveLength(wanted.nodes)
    if (wanted.links !== undefined) expect(snapshot.graph.links).toHaveLength(wanted.links)
    for (const hop of snapshot.hops) expect(hop.sent).toBe(hop.received + hop.lost + hop.open)
  })

  if (wanted.sentences === null) return
  it('reads as it should', () => {
    const own = scenario.connectionRttMs
    const compared = own === undefined ? null : compareConnectionRtt(snapshot, own)
    expect([...snapshot.sentences, ...(compared === null ? [] : [compared])]).toEqual(wanted.sentences)
  })
})

describe('the scenarios', () => {
  it('cover every sentence', () => {
    const source = readFileSync(new URL('../../../../electron/monitor/trace/sentences.ts', import.meta.url), 'utf8')
    const codes = [...source.matchAll(/code: '(\w+)'/g)].map(([, code]) => code)
    const covered = scenarios.flatMap(({ scenario }) => scenario.expect.sentences?.map(({ code }) => code) ?? [])
    expect([...new Set(codes)].sort()).toEqual([...new Set(covered)].sort())
  })
})
