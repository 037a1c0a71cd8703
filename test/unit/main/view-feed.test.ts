import { beforeEach, describe, expect, it } from 'vitest'
import { ViewFeed, type ViewSource, type ViewTarget } from '../../../electron/main/view-feed'
import type { EventPayload } from '../../../electron/shared/ipc-schema'
import type { TraceListItem, TraceView } from '../../../electron/shared/trace'
import type {
  ChartSeries,
  ConnectionsView,
  ProcessDetails,
  ProcessesQuery,
  ProcessesView,
  StatusView,
} from '../../../electron/shared/views'

/** Views are opaque to the feed: the fake ones say only where they come from. */
class FakeSource implements ViewSource {
  samples: ChartSeries = { timesS: [], rxRates: [], txRates: [] }
  opened = 0

  status(): StatusView {
    return { timeMs: 1 } as StatusView
  }
  openProcesses() {
    this.opened += 1
    const feed = this.opened
    return { view: (query: ProcessesQuery) => ({ feed, query }) as unknown as ProcessesView }
  }
  openConnections() {
    return { view: () => ({ tcpCount: 3 }) as ConnectionsView }
  }
  processDetails(ownerId: number): ProcessDetails | null {
    return ownerId === 5 ? ({ flowCount: 2 } as ProcessDetails) : null
  }
  traceList(): TraceListItem[] {
    return [{ traceKey: 7 } as TraceListItem]
  }
  trace(traceKey: number): TraceView | null {
    return traceKey === 7 ? ({ traceKey } as TraceView) : null
  }
  chart(): ChartSeries {
    return structuredClone(this.samples)
  }
  add(timeS: number, rxRate: number | null): void {
    this.samples.timesS.push(timeS)
    this.samples.rxRates.push(rxRate)
    this.samples.txRates.push(rxRate)
  }
}

class FakeTarget implements ViewTarget {
  shown = true
  sent: [string, unknown][] = []
  constructor(readonly id: number) {}
  isShown(): boolean {
    return this.shown
  }
  send(name: string, payload: unknown): void {
    this.sent.push([name, payload])
  }
  take(): [string, unknown][] {
    return this.sent.splice(0)
  }
}

const query: ProcessesQuery = {
  sort: { column: 'name', descending: false },
  filter: '',
  offset: 0,
  limit: 10,
  holdOrder: false,
}

let source: FakeSource
let target: FakeTarget
let feed: ViewFeed

beforeEach(() => {
  source = new FakeSource()
  target = new FakeTarget(1)
  feed = new ViewFeed(source)
  feed.attach(target)
})

describe('live queries', () => {
  it('sends nothing that was not asked for', () => {
    feed.tick()
    feed.statusChanged()
    feed.refresh(1)
    expect(target.sent).toEqual([])
  })

  it('answers each query of a window once a tick until it is released', () => {
    feed.queryStatus(1)
    feed.queryProcesses(1, query)
    feed.queryConnections(1, { ...query, sort: { column: 'age', descending: true }, group: 'all' })
    feed.queryDetails(1, 5)
    feed.tick()
    expect(target.take().map(([name]) => name)).toEqual(['status', 'processes', 'connections', 'processDetails'])
    feed.releaseProcesses(1)
    feed.releaseConnections(1)
    feed.releaseDetails(1)
    feed.tick()
    expect(target.take().map(([name]) => name)).toEqual(['status'])
  })

  it('answers the latest query of a kind, from the feed that knows the order of the one before', () => {
    feed.queryProcesses(1, query)
    const held = { ...query, offset: 20, holdOrder: true }
    expect(feed.queryProcesses(1, held)).toEqual({ feed: 1, query: held })
    feed.tick()
    expect(target.take()).toEqual([['processes', { feed: 1, query: held }]])
  })

  it('keeps windows apart', () => {
    const other = new FakeTarget(2)
    feed.attach(other)
    feed.queryStatus(1)
    feed.queryProcesses(2, query)
    feed.tick()
    expect(target.take().map(([name]) => name)).toEqual(['status'])
    expect(other.take().map(([name]) => name)).toEqual(['processes'])
  })

  it('tells that a process is no longer known', () => {
    expect(feed.queryDetails(1, 6)).toBeNull()
    feed.tick()
    expect(target.take()).toEqual([['processDetails', { ownerId: 6, details: null }]])
  })

  it('forgets the queries of a page that is loaded anew, and of a window that is closed', () => {
    feed.queryStatus(1)
    feed.attach(target)
    feed.tick()
    feed.detach(1)
    feed.tick()
    expect(target.sent).toEqual([])
    expect(() => feed.queryStatus(1)).toThrow()
  })
})

describe('a window that is not seen', () => {
  it('gets nothing, and all at once when it is seen again', () => {
    feed.queryStatus(1)
    feed.queryProcesses(1, query)
    target.shown = false
    feed.tick()
    feed.statusChanged()
    feed.refresh(1)
    expect(target.take()).toEqual([])
    target.shown = true
    feed.refresh(1)
    expect(target.take().map(([name]) => name)).toEqual(['status', 'processes'])
  })

  it('gets the chart samples that it missed, gaps included, each once', () => {
    source.add(1, 10)
    feed.queryChart(1, 0)
    target.shown = false
    source.add(2, 20)
    feed.tick()
    source.add(3, null)
    feed.tick()
    target.shown = true
    feed.refresh(1)
    source.add(4, 40)
    feed.tick()
    expect(target.take()).toEqual([
      ['chart', { subject: 0, sample: { timeS: 2, rxRate: 20, txRate: 20 } }],
      ['chart', { subject: 0, sample: { timeS: 3, rxRate: null, txRate: null } }],
      ['chart', { subject: 0, sample: { timeS: 4, rxRate: 40, txRate: 40 } }],
    ])
  })
})

describe('charts', () => {
  it('sends a sample once, however often it ticks', () => {
    source.add(1, 10)
    expect(feed.queryChart(1, 0).timesS).toEqual([1])
    feed.tick()
    expect(target.take()).toEqual([])
    source.add(2, 20)
    feed.tick()
    feed.tick()
    expect(target.take()).toHaveLength(1)
  })

  it('sends the gap before a sample', () => {
    source.add(1, 10)
    feed.queryChart(1, 0)
    source.add(9, null)
    source.add(10, 30)
    feed.tick()
    expect(target.take().map(([, payload]) => (payload as EventPayload<'chart'>).sample.rxRate)).toEqual([null, 30])
  })

  it('begins anew when the clock was set back', () => {
    source.add(100, 10)
    feed.queryChart(1, 0)
    source.samples = { timesS: [], rxRates: [], txRates: [] }
    source.add(50, 20)
    feed.tick()
    source.add(51, 21)
    feed.tick()
    expect(target.take().map(([, payload]) => (payload as EventPayload<'chart'>).sample.timeS)).toEqual([50, 51])
  })

  it('follows two subjects at most, the first one asked for goes', () => {
    source.add(1, 10)
    feed.queryChart(1, 0)
    feed.queryChart(1, 5)
    feed.queryChart(1, 0)
    feed.queryChart(1, 6)
    source.add(2, 20)
    feed.tick()
    expect(target.take().map(([, payload]) => (payload as EventPayload<'chart'>).subject)).toEqual([0, 6])
    feed.releaseChart(1, 0)
    source.add(3, 30)
    feed.tick()
    expect(target.take().map(([, payload]) => (payload as EventPayload<'chart'>).subject)).toEqual([6])
  })
})

describe('traces', () => {
  it('are told when they change, not with the tick, and only to the window that shows them', () => {
    expect(feed.queryTraces(1)).toEqual([{ traceKey: 7 }])
    expect(feed.queryTrace(1, 7)).toEqual({ traceKey: 7 })
    feed.tick()
    feed.traceChanged(8)
    expect(target.take()).toEqual([])
    feed.traceChanged(7)
    feed.traceListChanged()
    expect(target.take()).toEqual([
      ['trace', { traceKey: 7 }],
      ['traces', [{ traceKey: 7 }]],
    ])
    feed.releaseTrace(1)
    feed.traceChanged(7)
    expect(target.take()).toEqual([])
  })

  it('are told once to a window that is seen again, however often they changed', () => {
    feed.queryTrace(1, 7)
    target.shown = false
    feed.traceChanged(7)
    feed.traceChanged(7)
    expect(target.take()).toEqual([])
    target.shown = true
    feed.refresh(1)
    feed.refresh(1)
    expect(target.take()).toEqual([['trace', { traceKey: 7 }]])
  })
})
