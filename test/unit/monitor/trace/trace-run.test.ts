import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TraceRun } from '../../../../electron/monitor/trace/trace-run'
import type { ProbeItem, TraceOptions } from '../../../../electron/shared/trace'
import { checkTraceOptions, defaultTraceOptions } from '../../../../electron/shared/trace'
import type { SimulatedHop } from './simulated-network'
import { SimulatedNetwork, runRounds } from './simulated-network'

const destination = '192.0.2.99'

function options(changes: Partial<TraceOptions> = {}): TraceOptions {
  return { host: destination, ...defaultTraceOptions, ...changes }
}

function chain(length: number): SimulatedHop[] {
  return Array.from({ length }, (_, index) => ({
    addresses: [index === length - 1 ? destination : `10.0.${index}.1`],
    rttMs: (index + 1) * 2,
  }))
}

describe('TraceRun', () => {
  it('finds a 15-hop path with one order of probes', () => {
    const run = new TraceRun(options(), destination, 0)
    const order = run.nextProbes(0)
    expect(order?.probes.map((probe) => probe.ttl)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1))
    run.apply(new SimulatedNetwork(chain(15), destination).answer(order as NonNullable<typeof order>, 0), 30)
    const snapshot = run.snapshot()
    expect(snapshot.stopReason).toBe('destination')
    expect(snapshot.hops.map((hop) => hop.addresses[0]?.address)).toEqual(chain(15).map((hop) => hop.addresses[0]))
    expect(snapshot.events).toMatchObject([{ kind: 'reached', ttl: 15 }])
  })

  it('asks a path that is longer than the first window in further orders', () => {
    const run = new TraceRun(options(), destination, 0)
    runRounds(run, new SimulatedNetwork(chain(27), destination), 1)
    expect(run.snapshot().hops).toHaveLength(27)
    expect(run.snapshot().stopReason).toBe('destination')
  })

  it('probes only up to the destination in later rounds', () => {
    const run = new TraceRun(options(), destination, 0)
    const nowMs = runRounds(run, new SimulatedNetwork(chain(6), destination), 1)
    expect(run.nextProbes(nowMs)?.probes.map((probe) => probe.ttl)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('stops at the max TTL', () => {
    const run = new TraceRun(options({ maxTtl: 4, rounds: 1 }), destination, 0)
    runRounds(run, new SimulatedNetwork(chain(9), destination), 2)
    expect(run.snapshot()).toMatchObject({ stopReason: 'maxTtl', state: 'finished' })
    expect(run.snapshot().hops).toHaveLength(4)
  })

  it('gives up behind silent hops and asks fewer of them later', () => {
    const silent = Array.from({ length: 30 }, () => ({ addresses: [], rttMs: 1 }))
    const run = new TraceRun(options(), destination, 0)
    const nowMs = runRounds(run, new SimulatedNetwork([...chain(9).slice(0, 3), ...silent], destination), 1)
    expect(run.snapshot().stopReason).toBe('gap')
    expect(run.nextProbes(nowMs)?.probes.map((probe) => probe.ttl)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('ends at a hop that refuses and says how', () => {
    const hops = chain(8)
    hops[4] = { addresses: ['10.0.4.1'], rttMs: 9, icmp: [3, 13] }
    const run = new TraceRun(options({ rounds: 1 }), destination, 0)
    runRounds(run, new SimulatedNetwork(hops.slice(0, 5), destination), 1)
    const snapshot = run.snapshot()
    expect(snapshot.stopReason).toBe('unreachable')
    expect(snapshot.hops.at(-1)?.marks).toEqual([{ mark: '!X', words: 'communication administratively prohibited' }])
    expect(snapshot.sentences[0]?.code).toBe('unreachable')
  })

  it('merges the branches of several flows to a graph', () => {
    const hops = chain(5)
    hops[1] = { addresses: ['10.1.1.1', '10.1.2.1'], rttMs: 4 }
    const run = new TraceRun(options({ flows: 4 }), destination, 0)
    runRounds(run, new SimulatedNetwork(hops, destination), 3)
    const { graph } = run.snapshot()
    expect(graph.nodes.filter((node) => node.ttl === 2).map((node) => [node.address, node.flows])).toEqual([
      ['10.1.1.1', [0, 2]],
      ['10.1.2.1', [1, 3]],
    ])
    expect(graph.links.find((link) => link.from === '1:10.0.0.1' && link.to === '2:10.1.2.1')).toMatchObject({
      count: 6,
      flows: [1, 3],
    })
    expect(run.snapshot().sentences.map((sentence) => sentence.code)).toContain('branches')
  })

  it('draws a lost answer of a hop that answers as loss, a silent hop as a node', () => {
    const hops = chain(5)
    hops[1] = { addresses: ['10.1.1.1'], rttMs: 4, answersEvery: 2 }
    hops[2] = { addresses: [], rttMs: 4 }
    const run = new TraceRun(options(), destination, 0)
    runRounds(run, new SimulatedNetwork(hops, destination), 4)
    expect(run.snapshot().graph.nodes.map((node) => node.id)).toEqual([
      '1:10.0.0.1',
      '2:10.1.1.1',
      '3:*',
      '4:10.0.3.1',
      `5:${destination}`,
    ])
  })

  it('tells a changed path once it is certain, and not a balanced one', () => {
    const network = new SimulatedNetwork(chain(5), destination)
    const run = new TraceRun(options(), destination, 0)
    let nowMs = runRounds(run, network, 3)
    network.hops = network.hops.map((hop, index) => (index === 2 ? { ...hop, addresses: ['10.9.9.9'] } : hop))
    nowMs = runRounds(run, network, 2, nowMs)
    expect(run.snapshot().events.map((event) => event.kind)).toEqual(['reached'])
    runRounds(run, network, 1, nowMs)
    expect(run.snapshot().events.at(-1)).toMatchObject({
      kind: 'pathChanged',
      ttl: 3,
      from: '10.0.2.1',
      to: '10.9.9.9',
    })
  })

  it('follows a path that grows', () => {
    const network = new SimulatedNetwork(chain(4), destination)
    const run = new TraceRun(options(), destination, 0)
    const nowMs = runRounds(run, network, 2)
    network.hops = chain(7)
    runRounds(run, network, 2, nowMs)
    expect(run.snapshot().hops).toHaveLength(7)
    expect(run.snapshot().events.map((event) => event.kind)).toEqual([
      'reached',
      'destinationLost',
      'pathLengthChanged',
    ])
  })

  it('counts duplicates, late and forged answers without credit', () => {
    const run = new TraceRun(options(), destination, 0)
    const order = run.nextProbes(0)
    expect(order).not.toBeNull()
    const item: ProbeItem = { traceId: 1, round: 1, flow: 0, ttl: 1, sentUs: 0, outcome: 'noReply' }
    run.apply(
      [item, { ...item, outcome: 'late', rttUs: 5 }, { ...item, outcome: 'forged' }, { ...item, outcome: 'duplicate' }],
      1,
    )
    run.apply([{ ...item, outcome: 'reply', rttUs: 9, address: '10.6.6.6' }], 1)
    expect(run.snapshot().hops[0]).toMatchObject({
      sent: 1,
      received: 0,
      lost: 1,
      late: 1,
      forged: 1,
      duplicates: 1,
      lastMs: null,
    })
  })

  it('takes back what was on the way when the helper goes', () => {
    const run = new TraceRun(options(), destination, 0)
    run.nextProbes(0)
    run.fail()
    expect(run.snapshot().hops.every((hop) => hop.sent === 0 && hop.lossPct === 0)).toBe(true)
    expect(run.nextProbes(5000)).toBeNull()
  })

  it('keeps sent = received + lost + open whatever arrives', () => {
    const outcome = fc.constantFrom('reply', 'noReply', 'unsent', 'duplicate', 'late', 'forged')
    const item = fc.record({
      traceId: fc.constant(1),
      round: fc.integer({ min: 0, max: 6 }),
      flow: fc.integer({ min: 0, max: 3 }),
      ttl: fc.integer({ min: 0, max: 40 }),
      sentUs: fc.constant(0),
      outcome,
      address: fc.constantFrom('10.0.0.1', '10.0.0.2', destination),
      rttUs: fc.integer({ min: 0, max: 1_000_000 }),
      icmpType: fc.constantFrom(0, 3, 11),
      icmpCode: fc.integer({ min: 0, max: 15 }),
    })
    fc.assert(
      fc.property(fc.array(fc.array(item, { maxLength: 30 }), { maxLength: 6 }), (batches) => {
        const run = new TraceRun(options({ flows: 2, probesPerHop: 2 }), destination, 0)
        let nowMs = 0
        for (const batch of batches) {
          run.nextProbes(nowMs)
          run.apply(batch as ProbeItem[], nowMs)
          nowMs += 1000
        }
        for (const hop of run.snapshot().hops) {
          expect(hop.open).toBeGreaterThanOrEqual(0)
          expect(hop.sent).toBe(hop.received + hop.lost + hop.open)
          for (const member of ['sent', 'received', 'lost', 'open'] as const) {
            expect(hop.flows.reduce((sum, flow) => sum + flow[member], 0)).toBe(hop[member])
          }
        }
      }),
    )
  })
})

describe('checkTraceOptions', () => {
  it.each([
    [{ host: '' }, 'host'],
    [{ maxTtl: 0 }, '-m'],
    [{ waitMs: 1 }, '-w'],
    [{ firstTtl: 9, maxTtl: 3 }, '-f'],
    [{ port: 65536 }, '-p'],
    [{ probesPerHop: 1.5 }, '-q'],
  ])('refuses %j naming the option', (changes, word) => {
    const outcome = checkTraceOptions(options(changes))
    expect(outcome.ok ? '' : outcome.failure.message + outcome.failure.fix).toContain(word)
  })
})
