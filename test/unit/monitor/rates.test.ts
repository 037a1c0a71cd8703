import { describe, expect, it } from 'vitest'
import { createMonitor, type Monitor } from '../../../electron/monitor/monitor'
import type { FlowRecord } from '../../../electron/shared/helper-messages'
import { all, captured, flows, hello, helperStatus, interfaceTotals, owner, record, startMs, tick } from './builders'

/** A monitor with one flow of process 1, ticked at given moments. */
class OneFlow {
  readonly monitor: Monitor = createMonitor()
  readonly flow: FlowRecord
  #tick = 0

  constructor(rest: Partial<FlowRecord> = {}) {
    this.flow = record(1, { ownerId: 1, ...rest })
    this.monitor.apply(hello(), startMs)
    this.monitor.apply({ type: 'interface', ...captured(1, 'eth0') }, startMs)
    this.monitor.apply({ type: 'owners', items: [owner(1), owner(2)] }, startMs)
  }

  /** Moves `rxBytes` and closes a tick `afterMs` after the start. */
  at(afterMs: number, rxBytes: number): this {
    this.flow.rxBytes += rxBytes
    this.flow.rxPackets += rxBytes > 0 ? 1 : 0
    this.#tick += 1
    if (rxBytes > 0) this.monitor.apply(flows(this.#tick, [this.flow]), startMs + afterMs)
    const totals = interfaceTotals(1, { rxBytes: this.flow.rxBytes })
    this.monitor.apply(tick(this.#tick, startMs + afterMs, [totals]), startMs + afterMs)
    this.monitor.tick(startMs + afterMs)
    return this
  }

  rates() {
    const sort = { column: 'rxRate', descending: true } as const
    const processes = this.monitor.openProcesses().view({ ...all, sort })
    const connections = this.monitor.openConnections().view({ ...all, sort, group: 'all' })
    return {
      captured: processes.captured.rxRate,
      processes: processes.rows.map(({ name, rxRate }) => [name, rxRate]),
      unattributed: processes.unattributed.rxRate,
      flow: connections.rows[0]?.rxRate,
      interface: this.monitor.status(helperStatus).interfaces[0]?.rxRate,
      chart: this.monitor.chartSample(0).rxRate,
    }
  }
}

const everywhere = (rate: number) => ({
  captured: rate,
  processes: [['program1', rate]],
  unattributed: 0,
  flow: rate,
  interface: rate,
  chart: rate,
})

describe('rates', () => {
  it('are bytes of the last two seconds over their time, the same at every level', () => {
    const story = new OneFlow().at(1000, 3000)
    expect(story.rates()).toEqual(everywhere(3000))
    story.at(2000, 1000)
    expect(story.rates()).toEqual(everywhere(2000))
    story.at(3000, 1000)
    expect(story.rates()).toEqual(everywhere(1000))
  })

  it('fall to exactly zero when nothing moves any more', () => {
    const story = new OneFlow().at(1000, 12_345).at(2000, 0)
    expect(story.rates().captured).toBeGreaterThan(0)
    story.at(3000, 0)
    expect(story.rates()).toEqual(everywhere(0))
  })

  it('cover two seconds of short ticks and the whole of a long one', () => {
    const short = new OneFlow()
    for (let count = 1; count <= 50; count += 1) short.at(100 * count, 100)
    expect(short.rates()).toEqual(everywhere(1000))
    const long = new OneFlow().at(5000, 10_000)
    expect(long.rates()).toEqual(everywhere(2000))
  })

  it('bear ticks that come a little early or late', () => {
    const story = new OneFlow().at(1000, 1000).at(2040, 1040).at(2990, 950).at(4010, 1020)
    expect(story.rates()).toEqual(everywhere(1000))
  })

  it('move with the flow to the process that it is charged to', () => {
    const story = new OneFlow({ ownerId: 0, reason: 'pending' }).at(1000, 2000)
    expect(story.rates()).toMatchObject({ processes: [], unattributed: 2000 })
    Object.assign(story.flow, { ownerId: 2, reason: 'none' })
    story.at(2000, 4000)
    expect(story.rates()).toMatchObject({ captured: 3000, processes: [['program2', 3000]], unattributed: 0 })
    story.at(3000, 0).at(4000, 0)
    expect(story.rates()).toMatchObject({ captured: 0, processes: [['program2', 0]], unattributed: 0 })
  })

  it('begin anew after a suspend instead of being spread over it', () => {
    const story = new OneFlow().at(1000, 1000).at(2000, 1000)
    story.monitor.gap(startMs + 3_600_000)
    expect(story.rates().captured).toBe(0)
    story.at(3_601_000, 500)
    expect(story.rates()).toEqual(everywhere(500))
  })

  it('survive a clock that is set back', () => {
    const story = new OneFlow().at(100_000, 1000).at(101_000, 1000).at(50_000, 1000)
    expect(story.rates().captured).toBe(0)
    story.at(51_000, 700)
    expect(story.rates()).toEqual(everywhere(700))
  })

  it('take recorded time from the file, not from the clock', () => {
    const monitor = createMonitor()
    const firstSeenUs = 1_000_000_000_000_000
    monitor.apply(hello({}, 'read'), startMs)
    monitor.apply(flows(1, [record(1, { reason: 'recorded', rxBytes: 6000, rxPackets: 1, firstSeenUs })]), startMs)
    monitor.apply(tick(1, firstSeenUs / 1000 + 3000), startMs)
    monitor.tick(firstSeenUs / 1000 + 3000)
    const view = monitor.openProcesses().view({ ...all, sort: { column: 'rxRate', descending: true } })
    expect(view.captured.rxRate).toBe(2000)
    expect(view.timeMs).toBe(firstSeenUs / 1000 + 3000)
  })
})

describe('the chart', () => {
  it('has a sample a tick, and a gap where nothing was measured', () => {
    const story = new OneFlow().at(1000, 1000).at(2000, 3000)
    story.monitor.helperLost(startMs + 2500)
    story.monitor.tick(startMs + 3500)
    story.monitor.apply(hello(), startMs + 4000)
    story.monitor.apply(tick(1, startMs + 5000), startMs + 5000)
    story.monitor.tick(startMs + 5000)
    const times = [1, 2, 2.5, 3.5, 5].map((second) => startMs / 1000 + second)
    expect(story.monitor.chart(0)).toEqual({
      timesS: times,
      rxRates: [1000, 2000, null, null, 0],
      txRates: [0, 0, null, null, 0],
    })
    const processId = story.monitor.openProcesses().view({ ...all, sort: { column: 'pid', descending: false } }).rows[0]
    expect(story.monitor.chart(processId?.ownerId ?? -1).rxRates).toEqual([1000, 2000, null, null, 0])
    expect(story.monitor.chart(4711).rxRates).toEqual([0, 0, null, null, 0])
  })

  it('keeps ten minutes', () => {
    const story = new OneFlow()
    for (let second = 1; second <= 700; second += 1) story.at(1000 * second, second % 2 === 0 ? 1000 : 0)
    const { timesS, rxRates } = story.monitor.chart(0)
    expect(timesS).toHaveLength(601)
    expect(timesS.at(-1)).toBe(startMs / 1000 + 700)
    expect(rxRates).toHaveLength(601)
    expect(rxRates.every((rate) => rate === 500)).toBe(true)
  })
})
