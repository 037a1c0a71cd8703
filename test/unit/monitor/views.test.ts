import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMonitor, type MonitorOptions } from '../../../electron/monitor/monitor'
import { addressSortKey } from '../../../electron/monitor/views/address-key'
import { filterWords, matches } from '../../../electron/monitor/views/filter'
import { firstInOrder, OrderedPages } from '../../../electron/monitor/views/ordered-pages'
import type { FlowRecord, Owner } from '../../../electron/shared/helper-messages'
import type { FlowColumn, ProcessColumn } from '../../../electron/shared/views'
import { all, captured, flows, hello, helperStatus, interfaceTotals, owner, record, startMs, tick } from './builders'

function monitorWith(owners: Owner[], records: FlowRecord[], options: MonitorOptions = {}) {
  const monitor = createMonitor(options)
  monitor.apply(hello(), startMs)
  monitor.apply({ type: 'interface', ...captured(1, 'eth0') }, startMs)
  monitor.apply({ type: 'owners', items: owners }, startMs)
  monitor.apply(flows(1, records), startMs)
  monitor.apply(tick(1, startMs + 1000), startMs + 1000)
  monitor.tick(startMs + 1000)
  return monitor
}

describe('OrderedPages', () => {
  const byValue = (a: number, b: number) => a - b

  it('picks the same rows as sorting everything would', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { maxLength: 200 }), fc.nat({ max: 220 }), (items, count) => {
        expect(firstInOrder(items, byValue, count)).toEqual([...items].sort(byValue).slice(0, count))
      }),
    )
  })

  it('holds the order of the rows that were shown, and puts new ones last', () => {
    const pages = new OrderedPages<{ id: number; rate: number }>(({ id }) => id)
    const byRate = (a: { rate: number }, b: { rate: number }) => b.rate - a.rate
    const request = { offset: 0, limit: 3, holdOrder: false, orderKey: 'rate' }
    const row = (id: number, rate: number) => ({ id, rate })
    const ids = (items: { id: number; rate: number }[], holdOrder: boolean, change = {}) =>
      pages.page(items, byRate, { ...request, holdOrder, ...change }).map(({ id }) => id)

    expect(ids([row(1, 5), row(2, 9), row(3, 7), row(4, 1)], false)).toEqual([2, 3, 1])
    // 3 is gone, 5 is new and the fastest, 4 has overtaken all: none of the shown rows moves.
    const later = [row(1, 50), row(2, 9), row(4, 99), row(5, 100)]
    expect(ids(later, true)).toEqual([2, 1, 5])
    expect(ids(later, true, { limit: 10 })).toEqual([2, 1, 5, 4])
    expect(ids(later, true, { offset: 2, limit: 10 })).toEqual([5, 4])
    expect(ids(later, true, { orderKey: 'other' })).toEqual([5, 4, 1])
    expect(ids(later, false)).toEqual([5, 4, 1])
  })
})

describe('the filter', () => {
  it('wants every word, anywhere, in any case', () => {
    expect(matches(filterWords('  Fire 443 '), 'firefox\n198.51.100.1:443')).toBe(true)
    expect(matches(filterWords('fire 80'), 'firefox\n198.51.100.1:443')).toBe(false)
    expect(matches(filterWords(''), '')).toBe(true)
  })
})

describe('addressSortKey', () => {
  it('sorts by value', () => {
    const sorted = [
      '',
      '9.255.0.1',
      '10.0.0.9',
      '10.0.0.10',
      '::',
      '::1',
      '::ffff:10.0.0.1',
      '2001:db8::9',
      '2001:db8::10',
      'fe80::1',
    ]
    const shuffled = [...sorted].reverse()
    expect(shuffled.sort((a, b) => (addressSortKey(a) < addressSortKey(b) ? -1 : 1))).toEqual(sorted)
  })
})

describe('the processes view', () => {
  const owners = [
    owner(1, { name: 'zoom', user: 'ada', pid: 30 }),
    owner(2, { name: 'Firefox', user: 'root', pid: 20 }),
    owner(3, { name: 'curl', user: '', uid: 1001, pid: 10, exe: '/opt/tools/curl' }),
    owner(4, { name: 'idle' }),
  ]
  const records = [
    record(1, { ownerId: 1, rxBytes: 100, txBytes: 900, rxPackets: 1 }),
    record(2, { ownerId: 2, rxBytes: 500, txBytes: 100, rxPackets: 1 }),
    record(3, { ownerId: 2, rxBytes: 100, rxPackets: 1 }),
    record(4, { ownerId: 3, rxBytes: 300, txBytes: 0, rxPackets: 1 }),
    record(5, { reason: 'kernel', rxBytes: 900, txBytes: 100, rxPackets: 1, family: 0, etherType: 0x0806 }),
  ]
  const view = (column: ProcessColumn, descending: boolean, filter = '') =>
    monitorWith(owners, records, { userName: (uid) => (uid === 1001 ? 'bob' : '') })
      .openProcesses()
      .view({ ...all, sort: { column, descending }, filter })

  it.each<[ProcessColumn, boolean, string[]]>([
    ['name', false, ['curl', 'Firefox', 'zoom']],
    ['name', true, ['zoom', 'Firefox', 'curl']],
    ['pid', false, ['curl', 'Firefox', 'zoom']],
    ['user', false, ['zoom', 'curl', 'Firefox']],
    ['rxRate', true, ['Firefox', 'curl', 'zoom']],
    ['txRate', true, ['zoom', 'Firefox', 'curl']],
    ['rxBytes', false, ['zoom', 'curl', 'Firefox']],
    ['txBytes', false, ['curl', 'Firefox', 'zoom']],
    ['flows', true, ['Firefox', 'zoom', 'curl']],
    ['share', true, ['zoom', 'Firefox', 'curl']],
  ])('sorts by %s (descending: %s)', (column, descending, names) => {
    expect(view(column, descending).rows.map(({ name }) => name)).toEqual(names)
  })

  it('shows only processes that used the network, and the share of each', () => {
    const { rows, rowCount, totalCount, unattributed, captured: whole } = view('name', false)
    expect({ rowCount, totalCount }).toEqual({ rowCount: 3, totalCount: 3 })
    expect(rows.map(({ sharePct }) => Math.round(sharePct))).toEqual([10, 23, 33])
    expect(unattributed).toMatchObject({ rxBytes: 900, txBytes: 100, flows: 1 })
    expect(unattributed.reasons).toEqual([{ reason: 'kernel', bytes: 1000, rate: 1000, flows: 1 }])
    expect(rows.reduce((sum, { sharePct }) => sum + sharePct, unattributed.sharePct)).toBeCloseTo(100)
    expect(whole).toMatchObject({ rxBytes: 1900, txBytes: 1100 })
  })

  it.each([
    ['FIREFOX', ['Firefox']],
    ['bob', ['curl']],
    ['/opt curl', ['curl']],
    ['30', ['zoom']],
    ['nothing like it', []],
  ])('finds %s', (filter, names) => {
    const { rows, rowCount, totalCount } = view('name', false, filter)
    expect(rows.map(({ name }) => name)).toEqual(names)
    expect({ rowCount, totalCount }).toEqual({ rowCount: names.length, totalCount: 3 })
  })

  it('gives the page that was asked for', () => {
    const monitor = monitorWith(owners, records)
    const query = { ...all, sort: { column: 'name', descending: false } as const, offset: 1, limit: 1 }
    expect(monitor.openProcesses().view(query)).toMatchObject({ offset: 1, rowCount: 3, rows: [{ name: 'Firefox' }] })
    expect(monitor.openProcesses().view({ ...query, offset: 7 }).rows).toEqual([])
  })
})

describe('the connections view', () => {
  const owners = [owner(1, { name: 'browser' }), owner(2, { name: 'server' })]
  const records = [
    record(1, { ownerId: 1, remoteAddress: '198.51.100.10', rxBytes: 10, txBytes: 1, rxPackets: 1, state: 'synSent' }),
    record(2, {
      ownerId: 1,
      remoteAddress: '198.51.100.9',
      rxBytes: 30,
      txBytes: 2,
      rxPackets: 3,
      protocol: 17,
      state: 'none',
    }),
    record(3, {
      ownerId: 2,
      remoteAddress: '2001:db8::7',
      family: 6,
      localPort: 22,
      remotePort: 50_000,
      initiator: 'remote',
      rxBytes: 20,
      rxPackets: 2,
      firstSeenUs: (startMs - 60_000) * 1000,
      handshakeRttUs: 12_500,
    }),
    record(4, {
      reason: 'kernel',
      family: 0,
      protocol: 255,
      etherType: 0x88cc,
      localAddress: '',
      remoteAddress: '',
      localPort: 0,
      remotePort: 0,
      state: 'none',
      rxBytes: 5,
      rxPackets: 1,
    }),
    record(5, { reason: 'tableFull', synthetic: true, rxBytes: 1_000_000, rxPackets: 999 }),
  ]
  const services = new Map([
    ['TCP 443', 'https'],
    ['UDP 443', 'quic'],
    ['TCP 22', 'ssh'],
  ])
  const names: MonitorOptions = {
    serviceName: (protocol, port) => services.get(`${protocol} ${port}`) ?? '',
    etherTypeName: (etherType) => (etherType === 0x88cc ? 'LLDP' : ''),
  }
  const open = (options: MonitorOptions = names) => monitorWith(owners, records, options).openConnections()
  const byAge = { column: 'age', descending: true } as const

  // The rows by their received bytes.
  it.each<[FlowColumn, boolean, number[]]>([
    ['process', false, [10, 30, 20, 5]],
    ['protocol', false, [5, 10, 20, 30]],
    ['local', false, [5, 20, 10, 30]],
    ['remote', false, [5, 30, 10, 20]],
    ['remote', true, [20, 10, 30, 5]],
    ['state', false, [20, 30, 5, 10]],
    ['rxPackets', false, [10, 5, 20, 30]],
    ['txPackets', true, [10, 30, 20, 5]],
    ['rxBytes', true, [30, 20, 10, 5]],
    ['txBytes', true, [30, 10, 20, 5]],
    ['rxRate', true, [30, 20, 10, 5]],
    ['txRate', false, [20, 5, 10, 30]],
    ['age', true, [20, 10, 30, 5]],
  ])('sorts by %s (descending: %s)', (column, descending, order) => {
    const { rows } = open().view({ ...all, group: 'all', sort: { column, descending } })
    expect(rows.map(({ rxBytes }) => rxBytes)).toEqual(order)
  })

  it('names services at the end that was called, and tells groups apart', () => {
    const { rows, ...head } = open().view({ ...all, group: 'all', sort: byAge })
    expect(head).toMatchObject({ rowCount: 4, totalCount: 4, tcpCount: 2, nonTcpCount: 2, measured: true })
    expect(
      new Map(rows.map(({ protocol, remoteAddress, service }) => [`${protocol} ${remoteAddress}`, service])),
    ).toEqual(
      new Map([
        ['TCP 198.51.100.10', 'https'],
        ['UDP 198.51.100.9', 'quic'],
        ['TCP 2001:db8::7', 'ssh'],
        ['LLDP ', ''],
      ]),
    )
    expect(rows[0]).toMatchObject({ process: 'server', ageMs: 61_000, handshakeRttMs: 12.5, interface: 'eth0' })
    expect(rows.find(({ protocol }) => protocol === 'LLDP')).toMatchObject({
      process: '',
      pid: 0,
      ownerId: 0,
      reason: 'kernel',
    })
    const tcp = open().view({ ...all, group: 'tcp', sort: byAge })
    expect(tcp.rows.map(({ protocol }) => protocol)).toEqual(['TCP', 'TCP'])
    expect(tcp).toMatchObject({ rowCount: 2, totalCount: 4, tcpCount: 2, nonTcpCount: 2 })
  })

  it.each([
    ['browser', 2],
    ['browser udp', 1],
    ['198.51.100.10:443', 1],
    ['ssh', 1],
    ['synsent', 1],
    ['kernel', 1],
    ['eth0', 4],
  ])('finds %s', (filter, count) => {
    expect(open().view({ ...all, group: 'all', sort: byAge, filter }).rowCount).toBe(count)
  })

  it('finds a flow by its new owner and state', () => {
    const monitor = monitorWith(owners, records, names)
    const feed = monitor.openConnections()
    const query = { ...all, group: 'all', sort: byAge, filter: 'server established' } as const
    expect(feed.view(query).rowCount).toBe(1)
    monitor.apply(flows(2, [{ ...record(1), ownerId: 2, state: 'established' }]), startMs)
    monitor.apply(tick(2, startMs + 2000), startMs + 2000)
    expect(feed.view(query).rowCount).toBe(2)
  })

  it('finds a flow by the name that its process has now', () => {
    const monitor = monitorWith(owners, records, names)
    const feed = monitor.openConnections()
    const find = (filter: string) => feed.view({ ...all, group: 'all', sort: byAge, filter }).rowCount
    expect([find('browser'), find('renamed')]).toEqual([2, 0])
    monitor.apply({ type: 'owners', items: [owner(1, { name: 'renamed', exe: '/usr/bin/renamed' })] }, startMs)
    expect([find('browser'), find('renamed')]).toEqual([0, 2])
  })

  it('leaves buckets out of the list, but not out of the sums, unless they are wanted', () => {
    const sort = { column: 'rxBytes', descending: true } as const
    expect(
      open()
        .view({ ...all, group: 'all', sort })
        .rows.some(({ rxBytes }) => rxBytes === 1_000_000),
    ).toBe(false)
    const listed = open({ listBuckets: true }).view({ ...all, group: 'all', sort }).rows[0]
    expect(listed).toMatchObject({ protocol: 'any', reason: 'tableFull', rxBytes: 1_000_000 })
    const processes = monitorWith(owners, records)
      .openProcesses()
      .view({ ...all, sort })
    expect(processes.unattributed.rxBytes).toBe(1_000_005)
  })

  it('keeps ended flows for ten seconds, marked', () => {
    const monitor = monitorWith(owners, records)
    const feed = monitor.openConnections()
    const row = () =>
      feed.view({ ...all, group: 'all', sort: byAge }).rows.find(({ remotePort }) => remotePort === 50_000)
    monitor.apply(flows(2, [{ ...record(3), ownerId: 2, ended: true, endReason: 'fin', remotePort: 50_000 }]), startMs)
    monitor.apply(tick(2, startMs + 2000), startMs + 2000)
    monitor.tick(startMs + 2000)
    expect(row()).toMatchObject({ ended: true, endReason: 'fin' })
    monitor.tick(startMs + 11_999)
    expect(row()?.ended).toBe(true)
    monitor.tick(startMs + 12_000)
    expect(row()).toBeUndefined()
  })

  it('follows a renamed interface', () => {
    const monitor = monitorWith(owners, records)
    monitor.apply({ type: 'interface', ...captured(1, 'uplink0') }, startMs)
    const { rows } = monitor.openConnections().view({ ...all, group: 'all', sort: byAge })
    expect(new Set(rows.map((row) => row.interface))).toEqual(new Set(['uplink0']))
  })
})

describe('process details', () => {
  it('give the process, its parents and its own flows, busiest first', () => {
    const owners = [
      owner(1, { pid: 1, parentPid: 0, name: 'systemd' }),
      owner(2, { pid: 20, parentPid: 1, name: 'bash' }),
      owner(3, { pid: 30, parentPid: 20, name: 'curl', user: '', uid: 1001 }),
    ]
    const records = [
      record(1, { ownerId: 3, rxBytes: 10, rxPackets: 1 }),
      record(2, { ownerId: 3, rxBytes: 99, rxPackets: 1 }),
      record(3, { ownerId: 2, rxBytes: 50, rxPackets: 1 }),
    ]
    const monitor = monitorWith(owners, records, { userName: () => 'bob' })
    const { rows } = monitor
      .openProcesses()
      .view({ ...all, sort: { column: 'name', descending: false }, filter: 'curl' })
    const ownerId = rows[0]?.ownerId ?? -1
    expect(monitor.processDetails(ownerId)).toMatchObject({
      owner: { ownerId, pid: 30, user: 'bob', commandLine: 'program3 --run' },
      parents: [
        { pid: 20, name: 'bash' },
        { pid: 1, name: 'systemd' },
      ],
      traffic: { rxBytes: 109 },
      flows: [{ rxBytes: 99 }, { rxBytes: 10 }],
      flowCount: 2,
    })
    expect(monitor.owner(ownerId)).toMatchObject({ pid: 30, startTimeMs: 5003 })
    expect(monitor.processDetails(4711)).toBeNull()
    expect(monitor.owner(4711)).toBeNull()
  })

  it('survive parents that are each other’s', () => {
    const owners = [owner(1, { pid: 10, parentPid: 20 }), owner(2, { pid: 20, parentPid: 10 })]
    const monitor = monitorWith(owners, [record(1, { ownerId: 1, rxBytes: 1, rxPackets: 1 })])
    const { rows } = monitor.openProcesses().view({ ...all, sort: { column: 'pid', descending: false } })
    expect(monitor.processDetails(rows[0]?.ownerId ?? -1)?.parents.map(({ pid }) => pid)).toEqual([20])
  })
})

describe('the status view', () => {
  it('sums what was captured and lost, and offers the grant for what it mends', () => {
    const monitor = monitorWith([], [record(1, { rxBytes: 60, rxPackets: 1, reason: 'kernel' })])
    monitor.apply({ type: 'interface', ...captured(2, 'wlan0', { state: 'down' }) }, startMs)
    const totals = [
      interfaceTotals(1, { rxBytes: 60, rxPackets: 1, received: 10, dropped: 2, ifDropped: 1 }),
      interfaceTotals(2, { received: 5 }),
    ]
    monitor.apply(tick(2, startMs + 2000, totals), startMs + 2000)
    const reason = { code: 'packetsDropped', detail: 'Lost.', fix: '' }
    monitor.apply({ type: 'degraded', reasons: [reason] }, startMs)
    const status = monitor.status(helperStatus)
    expect(status).toMatchObject({ mode: 'full', received: 15, dropped: 3, flowCount: 1, grantOffered: false })
    expect(status.interfaces.map(({ name, state }) => [name, state])).toEqual([
      ['eth0', 'capturing'],
      ['wlan0', 'down'],
    ])
    monitor.apply({ type: 'degraded', reasons: [reason, { ...reason, code: 'needsSysPtrace' }] }, startMs)
    expect(monitor.status(helperStatus).grantOffered).toBe(true)
  })
})
