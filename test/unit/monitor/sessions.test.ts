/** What outlives a run of the helper, and the reduced mode without capture. */
import { describe, expect, it } from 'vitest'
import { InterfaceTable } from '../../../electron/monitor/interface-table'
import { createMonitor } from '../../../electron/monitor/monitor'
import { RateWindow } from '../../../electron/monitor/rate-window'
import {
  all,
  captured,
  flows,
  hello,
  helperStatus,
  interfaceTotals,
  owner,
  record,
  socket,
  startMs,
  tick,
} from './builders'

const byName = { column: 'name', descending: false } as const

describe('a new run of the helper', () => {
  function firstRun() {
    const monitor = createMonitor()
    monitor.apply(hello(), startMs)
    monitor.apply({ type: 'interface', ...captured(1, 'eth0') }, startMs)
    monitor.apply({ type: 'owners', items: [owner(1, { pid: 50, startTimeMs: 9000 })] }, startMs)
    monitor.apply(flows(1, [record(1, { ownerId: 1, rxBytes: 1000, rxPackets: 1 })]), startMs)
    monitor.apply(tick(1, startMs + 1000, [interfaceTotals(1, { rxBytes: 1000, received: 4 })]), startMs + 1000)
    monitor.tick(startMs + 1000)
    return monitor
  }

  it('keeps rows and totals of processes that it numbers differently', () => {
    const monitor = firstRun()
    const before = monitor.openProcesses().view({ ...all, sort: byName }).rows
    monitor.apply(hello(), startMs + 2000)
    // The start time is computed anew and differs a little; number 1 is now somebody else.
    const owners = [owner(2, { pid: 50, startTimeMs: 9010 }), owner(1, { pid: 60, name: 'newcomer' })]
    monitor.apply({ type: 'owners', items: owners }, startMs + 2000)
    monitor.apply(flows(1, [record(1, { ownerId: 2, rxBytes: 500, rxPackets: 1 })]), startMs + 2000)
    monitor.apply(tick(1, startMs + 3000), startMs + 3000)
    monitor.tick(startMs + 3000)
    const { rows } = monitor.openProcesses().view({ ...all, sort: byName })
    expect(rows.map(({ pid, rxBytes, ownerId }) => ({ pid, rxBytes, ownerId }))).toEqual([
      { pid: 50, rxBytes: 1500, ownerId: before[0]?.ownerId },
    ])
  })

  it('does not take a process that reuses a pid for the one before', () => {
    const monitor = firstRun()
    monitor.apply(hello(), startMs + 2000)
    monitor.apply(
      { type: 'owners', items: [owner(1, { pid: 50, startTimeMs: 99_000, name: 'other' })] },
      startMs + 2000,
    )
    monitor.apply(flows(1, [record(1, { ownerId: 1, rxBytes: 500, rxPackets: 1 })]), startMs + 2000)
    monitor.apply(tick(1, startMs + 3000), startMs + 3000)
    const { rows } = monitor.openProcesses().view({ ...all, sort: byName })
    expect(rows.map(({ name, rxBytes }) => [name, rxBytes])).toEqual([
      ['other', 500],
      ['program1', 1000],
    ])
  })

  it('adds to the totals of interfaces, which have other ids then', () => {
    const monitor = firstRun()
    monitor.helperLost(startMs + 1500)
    expect(monitor.status(helperStatus)).toMatchObject({
      flowCount: 0,
      degraded: [],
      interfaces: [{ name: 'eth0', state: 'down', rxBytes: 1000, rxRate: 0, received: 4 }],
    })
    monitor.apply(hello(), startMs + 2000)
    expect(monitor.status(helperStatus).interfaces).toMatchObject([{ name: 'eth0', state: 'gone', rxBytes: 1000 }])
    monitor.apply({ type: 'interface', ...captured(1, 'wlan0') }, startMs + 2000)
    monitor.apply({ type: 'interface', ...captured(2, 'eth0') }, startMs + 2000)
    const totals = [interfaceTotals(2, { rxBytes: 70, received: 1 }), interfaceTotals(1, { rxBytes: 7 })]
    monitor.apply(tick(1, startMs + 3000, totals), startMs + 3000)
    expect(
      monitor.status(helperStatus).interfaces.map(({ name, rxBytes, received }) => [name, rxBytes, received]),
    ).toEqual([
      ['wlan0', 7, 0],
      ['eth0', 1070, 5],
    ])
  })

  it('takes flows as ended by the helper’s end', () => {
    const monitor = firstRun()
    monitor.helperLost(startMs + 1500)
    const { rows } = monitor.openConnections().view({ ...all, group: 'all', sort: { column: 'age', descending: true } })
    expect(rows).toMatchObject([{ ended: true, endReason: 'captureStopped', rxBytes: 1000 }])
  })

  it('charges a process that it does not know to all others, not to nobody', () => {
    const monitor = firstRun()
    monitor.apply(flows(2, [record(2, { ownerId: 77, rxBytes: 5, rxPackets: 1 })]), startMs)
    monitor.apply(tick(2, startMs + 2000), startMs + 2000)
    const view = monitor.openProcesses().view({ ...all, sort: byName })
    expect(view.rows.map(({ name, pid, rxBytes }) => [name, pid, rxBytes])).toEqual([
      ['Other processes', 0, 5],
      ['program1', 50, 1000],
    ])
    expect(view.unattributed.rxBytes).toBe(0)
  })
})

describe('InterfaceTable', () => {
  it('keeps the sum when names come and go without end', () => {
    const table = new InterfaceTable(4)
    table.beginRun()
    for (let id = 1; id <= 50; id += 1) {
      table.applyInfo(captured(id, `veth${id}`))
      table.applyTotals([interfaceTotals(id, { rxBytes: id, rxPackets: 1 })], new RateWindow())
      table.applyInfo(captured(id, `veth${id}`, { state: 'gone' }))
    }
    const sums = table.sums()
    expect(sums.length).toBeLessThanOrEqual(4 + 4 + 1)
    expect(sums.reduce((sum, { rxBytes }) => sum + rxBytes, 0)).toBe((50 * 51) / 2)
    table.endRun()
    expect(table.sums().reduce((sum, { rxPackets }) => sum + rxPackets, 0)).toBe(50)
    expect(table.sums().length).toBeLessThanOrEqual(5)
  })
})

describe('the reduced mode', () => {
  function reduced() {
    const monitor = createMonitor()
    monitor.apply(hello({ netRaw: false }), startMs)
    monitor.apply({ type: 'owners', items: [owner(1, { name: 'mine' })] }, startMs)
    return monitor
  }
  const sort = { column: 'age', descending: true } as const

  it('makes rows of sockets, with the kernel’s figures where it has them', () => {
    const monitor = reduced()
    const own = socket({ ownerId: 1, rxBytes: 5000, txBytes: 100 })
    const foreign = socket({ inode: 2, localPort: 40_001, reason: 'permission', protocol: 17, state: 'UNCONN' })
    const nowhere = { ...foreign, inode: 3, remoteAddress: '0.0.0.0', remotePort: 0 }
    const listening = socket({ inode: 4, localPort: 22, state: 'LISTEN', ownerId: 1 })
    monitor.applySockets([own, foreign, nowhere, listening], startMs)
    monitor.tick(startMs)
    expect(monitor.measured).toBe(false)
    expect(monitor.status(helperStatus)).toMatchObject({ mode: 'reduced', flowCount: 3 })
    const processes = monitor.openProcesses().view({ ...all, sort: byName })
    expect(processes).toMatchObject({
      measured: false,
      rows: [{ name: 'mine', flows: 1, rxBytes: 5000, txBytes: 100, rxRate: 0 }],
      unattributed: { flows: 2, reasons: [{ reason: 'permission', flows: 2 }] },
    })
    const connections = monitor.openConnections().view({ ...all, sort, group: 'all' })
    expect(connections.rows).toMatchObject([
      { protocol: 'TCP', process: 'mine', state: 'established', attribution: 'exact' },
      { protocol: 'UDP', process: '', reason: 'permission', remoteAddress: '198.51.100.1' },
      { protocol: 'UDP', remoteAddress: '', remotePort: 0 },
    ])
  })

  it('gives rates from the second look on, and ends what is no longer listed', () => {
    const monitor = reduced()
    monitor.applySockets([socket({ ownerId: 1, rxBytes: 5000 })], startMs)
    monitor.tick(startMs)
    monitor.applySockets([socket({ ownerId: 1, rxBytes: 9000 })], startMs + 2000)
    monitor.tick(startMs + 2000)
    const processes = monitor.openProcesses()
    expect(processes.view({ ...all, sort: byName }).rows).toMatchObject([{ rxBytes: 9000, rxRate: 2000 }])
    expect(monitor.chartSample(0)).toMatchObject({ rxRate: 2000 })
    monitor.applySockets([], startMs + 4000)
    monitor.tick(startMs + 4000)
    expect(processes.view({ ...all, sort: byName }).rows).toMatchObject([{ rxBytes: 9000, rxRate: 0, flows: 0 }])
    const connections = monitor.openConnections()
    expect(connections.view({ ...all, sort, group: 'tcp' }).rows).toMatchObject([{ ended: true }])
    monitor.applySockets([], startMs + 14_000)
    expect(connections.view({ ...all, sort, group: 'tcp' }).rows).toEqual([])
  })

  it('never mixes its figures with what is captured after the grant', () => {
    const monitor = reduced()
    monitor.applySockets([socket({ ownerId: 1, rxBytes: 5000 })], startMs)
    monitor.tick(startMs)
    monitor.apply(hello(), startMs + 1000)
    monitor.apply({ type: 'owners', items: [owner(1, { name: 'mine' })] }, startMs + 1000)
    monitor.applySockets([socket({ ownerId: 1, rxBytes: 6000 })], startMs + 1500)
    monitor.apply(flows(1, [record(1, { ownerId: 1, rxBytes: 10, rxPackets: 1 })]), startMs + 2000)
    monitor.apply(tick(1, startMs + 2000), startMs + 2000)
    monitor.tick(startMs + 2000)
    const view = monitor.openProcesses().view({ ...all, sort: byName })
    expect(view).toMatchObject({ measured: true, captured: { rxBytes: 10 }, rows: [{ rxBytes: 10 }] })
  })
})
