/**
 * Processes + unattributed = captured, to the byte, whatever the helper goes through. The figures to compare with are kept by
 * the test's own helper, which knows who moved what and what it has told.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FlowTable } from '../../../electron/monitor/flow-table'
import { InterfaceTable } from '../../../electron/monitor/interface-table'
import { Ledger } from '../../../electron/monitor/ledger'
import { createMonitor } from '../../../electron/monitor/monitor'
import { ProcessTable } from '../../../electron/monitor/process-table'
import type { FlowRecord } from '../../../electron/shared/helper-messages'
import type { Reason } from '../../../electron/shared/words'
import { all, captured, flows, hello, helperStatus, interfaceTotals, owner, record, startMs, tick } from './builders'

const members = ['rxBytes', 'txBytes', 'rxPackets', 'txPackets'] as const
type Figures = Record<(typeof members)[number], number>
const zero = (): Figures => ({ rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0 })
function add(sum: Figures, part: Figures): void {
  for (const member of members) sum[member] += part[member]
}

type Who = { ownerId: number } | { reason: Reason }

type Step =
  | { do: 'open'; interfaceId: number; who: Who; synthetic: boolean }
  | { do: 'move'; flow: number; rxPackets: number; txPackets: number; size: number }
  | { do: 'assign'; flow: number; who: Who }
  | { do: 'end'; flow: number }
  | { do: 'tick'; skipped: number; snapshot: boolean }
  | { do: 'die'; inTick: boolean }
  | { do: 'replug'; interfaceId: number }
  | { do: 'exit'; ownerId: number }

const who: fc.Arbitrary<Who> = fc.oneof(
  fc.record({ ownerId: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ reason: fc.constantFrom<Reason>('pending', 'kernel', 'socketGone', 'forwarded') }),
)
const index = fc.nat({ max: 30 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      interfaceId: fc.integer({ min: 1, max: 2 }),
      who,
      synthetic: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      flow: index,
      rxPackets: fc.nat({ max: 5 }),
      txPackets: fc.nat({ max: 5 }),
      size: fc.integer({ min: 60, max: 65_000 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('assign' as const), flow: index, who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), flow: index }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('tick' as const), skipped: fc.nat({ max: 2 }), snapshot: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), inTick: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('replug' as const), interfaceId: fc.integer({ min: 1, max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('exit' as const), ownerId: fc.integer({ min: 1, max: 6 }) }) },
)

/** A helper that keeps its own books, and the monitor that listens to it. */
class Story {
  readonly monitor = createMonitor()
  /** Of runs that are over, as of their last tick: by pid, by reason, by interface name. */
  readonly pastByPid = new Map<number, Figures>()
  readonly pastByReason = new Map<Reason, Figures>()
  readonly pastByInterface = new Map<string, Figures>()
  live: FlowRecord[] = []
  /** Flows of this run that have ended. */
  ended: FlowRecord[] = []
  /** The records as of the last tick of this run. */
  told = new Map<number, FlowRecord>()
  dirty = new Set<number>()
  /** Totals per id, as an interface counts them. */
  interfaces = new Map<number, { name: string; figures: Figures }>()
  toldInterfaces = new Map<number, Figures>()
  idOf = new Map<number, number>()
  lastFlowId = 0
  tickNumber = 0
  nowMs = startMs

  constructor() {
    this.begin()
  }

  begin(): void {
    this.monitor.apply(hello(), this.nowMs)
    this.monitor.apply({ type: 'owners', items: [1, 2, 3, 4, 5, 6].map((id) => owner(id)) }, this.nowMs)
    this.interfaces = new Map()
    this.toldInterfaces = new Map()
    for (const slot of [1, 2]) this.plug(slot)
    this.live = []
    this.ended = []
    this.told = new Map()
    this.dirty = new Set()
    this.tickNumber = 0
  }

  plug(slot: number): void {
    const id = this.interfaces.size + 1
    this.idOf.set(slot, id)
    this.interfaces.set(id, { name: `eth${slot}`, figures: zero() })
    this.monitor.apply({ type: 'interface', ...captured(id, `eth${slot}`) }, this.nowMs)
  }

  take(step: Step): void {
    const flow = 'flow' in step ? this.live[step.flow % Math.max(1, this.live.length)] : undefined
    switch (step.do) {
      case 'open': {
        this.lastFlowId += 1
        const opened = record(this.lastFlowId, {
          interfaceId: this.idOf.get(step.interfaceId) ?? 1,
          synthetic: step.synthetic,
        })
        this.live.push(opened)
        this.assign(opened, step.who)
        this.move(opened, 1, 0, 60)
        break
      }
      case 'move':
        if (flow !== undefined) this.move(flow, step.rxPackets, step.txPackets, step.size)
        break
      case 'assign':
        if (flow !== undefined) this.assign(flow, step.who)
        break
      case 'end':
        if (flow !== undefined) this.end(flow)
        break
      case 'tick':
        this.tickNumber += 1 + step.skipped
        this.tick(step.snapshot)
        break
      case 'die':
        this.die(step.inTick)
        break
      case 'replug': {
        const id = this.idOf.get(step.interfaceId)
        for (const each of this.live.filter(({ interfaceId }) => interfaceId === id)) this.end(each)
        this.monitor.apply(
          { type: 'interface', ...captured(id ?? 1, `eth${step.interfaceId}`, { state: 'gone' }) },
          this.nowMs,
        )
        this.plug(step.interfaceId)
        break
      }
      case 'exit':
        this.monitor.apply({ type: 'owners', items: [owner(step.ownerId, { exited: true })] }, this.nowMs)
        break
    }
  }

  move(flow: FlowRecord, rxPackets: number, txPackets: number, size: number): void {
    const part = { rxPackets, txPackets, rxBytes: rxPackets * size, txBytes: txPackets * size }
    add(flow, part)
    add(this.interfaces.get(flow.interfaceId)?.figures ?? zero(), part)
    this.dirty.add(flow.flowId)
  }

  assign(flow: FlowRecord, who: Who): void {
    flow.ownerId = 'ownerId' in who ? who.ownerId : 0
    flow.reason = 'ownerId' in who ? 'none' : who.reason
    this.dirty.add(flow.flowId)
  }

  end(flow: FlowRecord): void {
    flow.ended = true
    this.live = this.live.filter((other) => other !== flow)
    this.ended.push(flow)
    this.dirty.add(flow.flowId)
  }

  tick(snapshot: boolean): void {
    this.nowMs += 700
    const wanted = [...this.live, ...this.ended].filter(
      ({ flowId, ended }) => this.dirty.has(flowId) || (snapshot && !ended),
    )
    // In two batches, as a helper with several interfaces sends them.
    const half = Math.floor(wanted.length / 2)
    this.monitor.apply(flows(this.tickNumber, wanted.slice(0, half)), this.nowMs)
    this.monitor.apply(flows(this.tickNumber, wanted.slice(half)), this.nowMs)
    const totals = [...this.interfaces].map(([id, { figures }]) => interfaceTotals(id, figures))
    this.monitor.apply(tick(this.tickNumber, this.nowMs, totals), this.nowMs)
    this.monitor.tick(this.nowMs)
    for (const each of wanted) this.told.set(each.flowId, { ...each })
    for (const [id, { figures }] of this.interfaces) this.toldInterfaces.set(id, { ...figures })
    this.dirty = new Set()
    this.check()
  }

  /** The helper is killed, perhaps between the flows of a tick and its end. */
  die(inTick: boolean): void {
    if (inTick) this.monitor.apply(flows(this.tickNumber + 1, [...this.live, ...this.ended]), this.nowMs)
    this.monitor.helperLost(this.nowMs)
    this.settle(this.pastByPid, this.pastByReason)
    for (const [id, figures] of this.toldInterfaces) {
      addTo(this.pastByInterface, this.interfaces.get(id)?.name ?? '', figures)
    }
    this.told = new Map()
    this.toldInterfaces = new Map()
    this.nowMs += 5000
    this.monitor.tick(this.nowMs)
    this.check()
    this.begin()
  }

  settle(byPid: Map<number, Figures>, byReason: Map<Reason, Figures>): void {
    for (const each of this.told.values()) {
      if (each.ownerId === 0) addTo(byReason, each.reason, each)
      else addTo(byPid, 1000 + each.ownerId, each)
    }
  }

  check(): void {
    const byPid = new Map([...this.pastByPid].map(([pid, figures]) => [pid, { ...figures }]))
    const byReason = new Map([...this.pastByReason].map(([reason, figures]) => [reason, { ...figures }]))
    this.settle(byPid, byReason)
    const view = this.monitor.openProcesses().view({ ...all, sort: { column: 'name', descending: false } })

    expect(new Map(view.rows.map((row) => [row.pid, pick(row)]))).toEqual(byPid)
    const reasonBytes = new Map([...byReason].map(([reason, { rxBytes, txBytes }]) => [reason, rxBytes + txBytes]))
    expect(new Map(view.unattributed.reasons.map(({ reason, bytes }) => [reason, bytes]))).toEqual(reasonBytes)
    const unattributed = zero()
    for (const figures of byReason.values()) add(unattributed, figures)
    expect(pick(view.unattributed)).toEqual(unattributed)

    const interfaces = new Map([...this.pastByInterface].map(([name, figures]) => [name, { ...figures }]))
    for (const [id, figures] of this.toldInterfaces) addTo(interfaces, this.interfaces.get(id)?.name ?? '', figures)
    const status = this.monitor.status(helperStatus)
    for (const [name, figures] of interfaces) {
      expect(pick(status.interfaces.find((each) => each.name === name) ?? zero())).toEqual(figures)
    }
    const whole = zero()
    for (const figures of interfaces.values()) add(whole, figures)
    expect(pick(view.captured)).toEqual(whole)
    expect(status.flowCount).toBe([...this.told.values()].filter((each) => !each.ended && !each.synthetic).length)
    expect(view.rows.reduce((sum, { flows }) => sum + flows, view.unattributed.flows)).toBe(status.flowCount)
  }
}

function addTo<Key>(map: Map<Key, Figures>, key: Key, part: Figures): void {
  const sum = map.get(key) ?? zero()
  add(sum, part)
  map.set(key, sum)
}

function pick({ rxBytes, txBytes, rxPackets, txPackets }: Figures): Figures {
  return { rxBytes, txBytes, rxPackets, txPackets }
}

describe('processes + unattributed = captured', () => {
  it('over flows, owners, gaps, hot-plug and deaths of the helper in any order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const story = new Story()
        for (const each of steps) story.take(each)
        story.take({ do: 'tick', skipped: 0, snapshot: false })
        // Everything that moved has been told by now.
        const truth = zero()
        for (const figures of story.pastByInterface.values()) add(truth, figures)
        for (const { figures } of story.interfaces.values()) add(truth, figures)
        const view = story.monitor.openProcesses().view({ ...all, sort: { column: 'name', descending: false } })
        expect(pick(view.captured)).toEqual(truth)
      }),
      { numRuns: 300 },
    )
  })

  it('when there are more processes than accounts, more names than room, and more ends than are kept', () => {
    const move = fc.record({
      ownerId: fc.integer({ min: 0, max: 25 }),
      bytes: fc.integer({ min: 1, max: 9999 }),
      ends: fc.boolean(),
      ticks: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
        const processes = new ProcessTable((process) => ledger.accountOf(process) !== null, 8)
        const ledger: Ledger = new Ledger(processes, 5)
        const table = new FlowTable(ledger, new InterfaceTable(), { forMs: 1000, atMost: 3 })
        let sent = 0
        moves.forEach(({ ownerId, bytes, ends, ticks }, at) => {
          if (ownerId !== 0) processes.apply(owner(ownerId, { exited: ends }))
          const reason = ownerId === 0 ? 'kernel' : 'none'
          const figures = { rxBytes: bytes, rxPackets: 1 }
          table.apply(flows(at, [record(at, { ownerId, reason, ended: ends, ...figures })]), startMs + at)
          sent += bytes
          if (ticks) ledger.window.closeTick(startMs + at * 900)
          table.forget(startMs + at * 900)
          const parts = [...ledger.accounts].reduce((sum, { rxBytes }) => sum + rxBytes, 0)
          expect(parts + ledger.unattributed.total.rxBytes).toBe(sent)
          expect(ledger.captured.rxBytes).toBe(sent)
          // "Other processes" stands beside the five.
          expect(ledger.accountCount).toBeLessThanOrEqual(6)
        })
        let listed = 0
        table.forEach(() => (listed += 1))
        expect(listed - table.liveCount).toBeLessThanOrEqual(3)
      }),
    )
  })
})
