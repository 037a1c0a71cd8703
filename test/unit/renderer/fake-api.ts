/**
 * The main process as the window sees it, without one: answers every request of the schema from a small made-up machine.
 * Deterministic; time moves only with `tick`.
 */
import type {
  EventName,
  EventPayload,
  NetloupeApi,
  RequestName,
  RequestParams,
  RequestResult,
} from '../../../electron/shared/ipc-schema'
import {
  defaultSettings,
  type ChartSeries,
  type ConnectionsQuery,
  type ConnectionsView,
  type FlowRow,
  type ListQuery,
  type ProcessDetails,
  type ProcessesQuery,
  type ProcessesView,
  type ProcessRow,
  type Settings,
  type StatusView,
  type Traffic,
} from '../../../electron/shared/views'
import type { Reason } from '../../../electron/shared/words'

export interface FakeOptions {
  processCount?: number
  flowCount?: number
  status?: Partial<StatusView>
  startMs?: number
}

type Handlers = { [Name in RequestName]?: (params: RequestParams<Name>) => RequestResult<Name> }
type Listeners = { [Name in EventName]?: Set<(payload: EventPayload<Name>) => void> }

const programs: [name: string, exe: string, user: string, weight: number][] = [
  ['firefox-esr', '/usr/lib/firefox-esr/firefox-esr', 'anna', 900],
  ['rsync', '/usr/bin/rsync', 'backup', 420],
  ['syncthing', '/usr/bin/syncthing', 'anna', 160],
  ['spotify', '/app/extra/share/spotify/spotify', 'anna', 38],
  ['signal-desktop', '/opt/Signal/signal-desktop', 'anna', 6],
  ['sshd', '/usr/sbin/sshd', 'root', 4],
  ['thunderbird', '/usr/lib/thunderbird/thunderbird-bin', 'anna', 3],
  ['code', '/usr/share/code/code', 'anna', 2],
  ['systemd-resolved', '/usr/lib/systemd/systemd-resolved', 'systemd-resolve', 0.6],
  ['avahi-daemon', '/usr/sbin/avahi-daemon', 'avahi', 0.2],
  ['chronyd', '/usr/sbin/chronyd', '_chrony', 0.1],
  ['NetworkManager', '/usr/sbin/NetworkManager', 'root', 0],
  ['gnome-software', '/usr/bin/gnome-software', 'anna', 0],
  ['gvfsd-http', '/usr/libexec/gvfsd-http', 'anna', 0],
]

/** A small generator with a fixed seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const noTraffic = (): Traffic => ({ rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, rxRate: 0, txRate: 0 })

function page<Row>(
  rows: Row[],
  query: ListQuery<string>,
  texts: (row: Row) => string,
  key: (row: Row) => number | string,
) {
  const words = query.filter.toLowerCase().split(/\s+/).filter(Boolean)
  const passing = rows.filter((row) => words.every((word) => texts(row).toLowerCase().includes(word)))
  passing.sort((one, other) => {
    const [left, right] = [key(one), key(other)]
    const order = typeof left === 'string' ? left.localeCompare(String(right)) : left - Number(right)
    return query.sort.descending ? -order : order
  })
  return {
    offset: query.offset,
    rowCount: passing.length,
    totalCount: rows.length,
    rows: passing.slice(query.offset, query.offset + query.limit),
  }
}

export class FakeApi implements NetloupeApi {
  /** Every request, in order, for assertions. */
  readonly requests: { name: RequestName; params: unknown }[] = []
  /** Answers that a test wants instead of the made-up ones. */
  readonly handlers: Handlers = {}
  settings: Settings = { ...defaultSettings }
  status: Partial<StatusView>

  readonly processes: ProcessRow[] = []
  readonly flows: FlowRow[] = []
  readonly #listeners: Listeners = {}
  readonly #random = generator(7)
  readonly #series = new Map<number, ChartSeries>()
  readonly #charts = new Set<number>()
  #nowMs: number
  #processesQuery: ProcessesQuery | null = null
  #connectionsQuery: ConnectionsQuery | null = null
  #detailsOf = 0
  #isStatusLive = false

  constructor({ processCount = 40, flowCount = 400, status = {}, startMs = 1_795_000_000_000 }: FakeOptions = {}) {
    this.status = status
    this.#nowMs = startMs - 300_000
    for (let index = 0; index < processCount; index += 1) this.#addProcess(index)
    for (let index = 0; index < flowCount; index += 1) this.#addFlow(index)
    for (let second = 0; second < 300; second += 1) this.#advance(1000)
  }

  request<Name extends RequestName>(name: Name, params: RequestParams<Name>): Promise<RequestResult<Name>> {
    this.requests.push({ name, params })
    const own = this.handlers[name]
    return Promise.resolve(own ? own(params) : (this.#answer(name, params) as RequestResult<Name>))
  }

  listen<Name extends EventName>(name: Name, listener: (payload: EventPayload<Name>) => void): () => void {
    const all = (this.#listeners[name] ??= new Set() as NonNullable<Listeners[Name]>)
    all.add(listener)
    return () => all.delete(listener)
  }

  emit<Name extends EventName>(name: Name, payload: EventPayload<Name>): void {
    for (const listener of this.#listeners[name] ?? []) listener(payload)
  }

  /** One second passes; live queries are answered. */
  tick(): void {
    this.#advance(1000)
    if (this.#isStatusLive) this.emit('status', this.#statusView())
    if (this.#processesQuery) this.emit('processes', this.#processesView(this.#processesQuery))
    if (this.#connectionsQuery) this.emit('connections', this.#connectionsView(this.#connectionsQuery))
    if (this.#detailsOf !== 0)
      this.emit('processDetails', { ownerId: this.#detailsOf, details: this.#details(this.#detailsOf) })
    for (const subject of this.#charts) {
      const { timesS, rxRates, txRates } = this.#seriesOf(subject)
      this.emit('chart', {
        subject,
        sample: { timeS: timesS.at(-1) ?? 0, rxRate: rxRates.at(-1) ?? null, txRate: txRates.at(-1) ?? null },
      })
    }
  }

  #answer(name: RequestName, params: unknown): unknown {
    switch (name) {
      case 'status.query':
        this.#isStatusLive = true
        return this.#statusView()
      case 'processes.query':
        this.#processesQuery = params as ProcessesQuery
        return this.#processesView(this.#processesQuery)
      case 'processes.release':
        this.#processesQuery = null
        return null
      case 'connections.query':
        this.#connectionsQuery = params as ConnectionsQuery
        return this.#connectionsView(this.#connectionsQuery)
      case 'connections.release':
        this.#connectionsQuery = null
        return null
      case 'processDetails.query':
        this.#detailsOf = (params as { ownerId: number }).ownerId
        return this.#details(this.#detailsOf)
      case 'processDetails.release':
        this.#detailsOf = 0
        return null
      case 'chart.query': {
        const { subject } = params as { subject: number }
        this.#charts.add(subject)
        return structuredClone(this.#seriesOf(subject))
      }
      case 'chart.release':
        this.#charts.delete((params as { subject: number }).subject)
        return null
      case 'settings.get':
        return this.settings
      case 'settings.set':
        this.settings = { ...this.settings, ...(params as Partial<Settings>) }
        return this.settings
      case 'trace.list':
        return []
      case 'helper.grant':
      case 'helper.restart':
      case 'process.end':
      case 'trace.control':
      case 'trace.export':
        return { ok: true }
      default:
        return null
    }
  }

  #addProcess(index: number): void {
    const [name, exe, user] = programs[index % programs.length] ?? ['worker', '/usr/bin/worker', 'root']
    const copy = Math.floor(index / programs.length)
    this.processes.push({
      ...noTraffic(),
      ownerId: index + 1,
      pid: 900 + index * 137,
      name: copy === 0 ? name : `${name}-${copy}`,
      exe,
      user,
      flows: 0,
      sharePct: 0,
      exited: index % 17 === 16,
    })
  }

  #addFlow(index: number): void {
    const owner = index % 9 === 8 ? undefined : this.processes[Math.floor(this.#random() ** 3 * this.processes.length)]
    const isUdp = index % 6 === 5
    const isSix = index % 4 === 3
    const reasons: Reason[] = ['kernel', 'socketGone', 'notLocal', 'forwarded', 'permission']
    const state = isUdp ? 'none' : index % 13 === 0 ? 'timeWait' : index % 29 === 0 ? 'synSent' : 'established'
    const remotePort = isUdp ? ([53, 443, 5353, 123][index % 4] ?? 53) : ([443, 22, 993, 80][index % 4] ?? 443)
    this.flows.push({
      ...noTraffic(),
      flowId: index + 1,
      ownerId: owner?.ownerId ?? 0,
      pid: owner?.pid ?? 0,
      process: owner?.name ?? '',
      protocol: isUdp ? 'UDP' : index % 31 === 30 ? 'ICMP' : 'TCP',
      family: isSix ? 6 : 4,
      localAddress: isSix ? '2001:db8:4a1:17::c5' : '192.168.178.24',
      localPort: 32768 + index * 7,
      remoteAddress: isSix
        ? `2001:db8:${(index % 4095).toString(16)}::${(index * 31).toString(16)}`
        : `198.51.100.${1 + (index % 254)}`,
      remotePort,
      service:
        { 443: 'https', 22: 'ssh', 993: 'imaps', 80: 'http', 53: 'domain', 5353: 'mdns', 123: 'ntp' }[remotePort] ?? '',
      interface: index % 5 === 0 ? 'wlp2s0' : 'enp3s0',
      state,
      ageMs: Math.floor(this.#random() ** 2 * 9_000_000),
      attribution: owner ? 'exact' : 'none',
      reason: owner ? 'none' : (reasons[Math.floor(this.#random() * reasons.length)] ?? 'kernel'),
      ended: index % 41 === 40,
      endReason: index % 41 === 40 ? (index % 2 === 0 ? 'fin' : 'rst') : 'alive',
      retransmits: index % 50 === 0 ? 3 : 0,
      handshakeRttMs: isUdp ? 0 : 8 + (index % 60),
    })
  }

  #weight(owner: ProcessRow | undefined): number {
    if (!owner) return 8
    const weight = programs[(owner.ownerId - 1) % programs.length]?.[3] ?? 0
    return owner.ownerId <= programs.length ? weight : weight / 60
  }

  #advance(stepMs: number): void {
    this.#nowMs += stepMs
    const second = this.#nowMs / 1000
    const byOwner = new Map<number, ProcessRow>()
    for (const row of this.processes) {
      byOwner.set(row.ownerId, row)
      row.flows = 0
      row.rxRate = 0
      row.txRate = 0
    }
    for (const flow of this.flows) {
      const owner = byOwner.get(flow.ownerId)
      if (flow.ended || owner?.exited) continue
      const wave = 0.6 + 0.4 * Math.sin(second / (9 + (flow.flowId % 23)) + flow.flowId)
      const isQuiet = flow.flowId % 3 === 0 && flow.flowId > 30
      const rate = isQuiet
        ? 0
        : this.#weight(owner) * 900 * wave * (0.7 + 0.6 * this.#random()) * (flow.flowId < 60 ? 3 : 0.2)
      const isUpload = owner?.name === 'rsync' || flow.flowId % 7 === 0
      flow.rxRate = Math.round(isUpload ? rate * 0.04 : rate)
      flow.txRate = Math.round(isUpload ? rate : rate * 0.06)
      flow.rxBytes += flow.rxRate
      flow.txBytes += flow.txRate
      flow.rxPackets += Math.ceil(flow.rxRate / 1200)
      flow.txPackets += Math.ceil(flow.txRate / 1200)
      flow.ageMs += stepMs
      if (!owner) continue
      owner.flows += 1
      owner.rxRate += flow.rxRate
      owner.txRate += flow.txRate
      owner.rxBytes += flow.rxRate
      owner.txBytes += flow.txRate
      owner.rxPackets += Math.ceil(flow.rxRate / 1200)
      owner.txPackets += Math.ceil(flow.txRate / 1200)
    }
    const { rxRate, txRate } = this.#captured()
    for (const row of this.processes) row.sharePct = (100 * (row.rxRate + row.txRate)) / Math.max(1, rxRate + txRate)
    this.#record(0, rxRate, txRate)
    for (const row of this.processes) this.#record(row.ownerId, row.rxRate, row.txRate)
  }

  #seriesOf(subject: number): ChartSeries {
    const series = this.#series.get(subject) ?? { timesS: [], rxRates: [], txRates: [] }
    this.#series.set(subject, series)
    return series
  }

  #record(subject: number, rxRate: number, txRate: number): void {
    const series = this.#seriesOf(subject)
    const timeS = Math.floor(this.#nowMs / 1000)
    // The machine slept for a while.
    const slept = timeS % 240 >= 200 && timeS % 240 < 212
    series.timesS.push(timeS)
    series.rxRates.push(slept ? null : rxRate)
    series.txRates.push(slept ? null : txRate)
  }

  #captured(): Traffic {
    const sum = noTraffic()
    for (const flow of this.flows)
      for (const member of Object.keys(sum) as (keyof Traffic)[]) sum[member] += flow[member]
    return sum
  }

  #statusView(): StatusView {
    const captured = this.#captured()
    const card = (id: number, name: string, address: string, part: number) => ({
      id,
      name,
      state: 'capturing' as const,
      linkType: 'ethernet' as const,
      loopback: false,
      addresses: [address, 'fe80::2e4d:54ff:fe9b:7e1'],
      rxRate: captured.rxRate * part,
      txRate: captured.txRate * part,
      rxBytes: captured.rxBytes * part,
      txBytes: captured.txBytes * part,
      rxPackets: Math.round(captured.rxPackets * part),
      txPackets: Math.round(captured.txPackets * part),
      received: Math.round(captured.rxPackets * part),
      dropped: 0,
      ifDropped: 0,
    })
    return {
      timeMs: this.#nowMs,
      helper: { state: 'running', version: '0.1.0', pid: 4242, restarts: 0, message: '' },
      mode: 'full',
      interfaces: [card(1, 'enp3s0', '192.168.178.24', 0.8), card(2, 'wlp2s0', '192.168.178.31', 0.2)],
      received: captured.rxPackets + captured.txPackets,
      dropped: 0,
      captured,
      flowCount: this.flows.length,
      degraded: [],
      grantOffered: false,
      ...this.status,
    }
  }

  #processesView(query: ProcessesQuery): ProcessesView {
    const column = query.sort.column
    const without = this.flows.filter(({ ownerId }) => ownerId === 0)
    const unattributed = {
      ...noTraffic(),
      flows: without.length,
      sharePct: 0,
      reasons: [] as ProcessesView['unattributed']['reasons'],
    }
    for (const flow of without) {
      for (const member of Object.keys(noTraffic()) as (keyof Traffic)[]) unattributed[member] += flow[member]
      let entry = unattributed.reasons.find(({ reason }) => reason === flow.reason)
      if (!entry) unattributed.reasons.push((entry = { reason: flow.reason, bytes: 0, rate: 0, flows: 0 }))
      entry.bytes += flow.rxBytes + flow.txBytes
      entry.rate += flow.rxRate + flow.txRate
      entry.flows += 1
    }
    unattributed.reasons.sort((one, other) => other.bytes - one.bytes)
    const captured = this.#captured()
    unattributed.sharePct =
      (100 * (unattributed.rxRate + unattributed.txRate)) / Math.max(1, captured.rxRate + captured.txRate)
    return {
      timeMs: this.#nowMs,
      ...page(
        this.processes.map((row) => ({ ...row })),
        query,
        (row) => `${row.name} ${row.exe} ${row.user} ${row.pid}`,
        (row) => (column === 'share' ? row.sharePct : row[column]),
      ),
      unattributed,
      captured,
      measured: true,
    }
  }

  #connectionsView(query: ConnectionsQuery): ConnectionsView {
    const tcp = this.flows.filter(({ protocol }) => protocol === 'TCP')
    const nonTcp = this.flows.filter(({ protocol }) => protocol !== 'TCP')
    const rows = query.group === 'all' ? this.flows : query.group === 'tcp' ? tcp : nonTcp
    const keys: Partial<Record<typeof query.sort.column, (row: FlowRow) => number | string>> = {
      local: (row) => row.localAddress,
      remote: (row) => row.remoteAddress,
      age: (row) => row.ageMs,
    }
    return {
      timeMs: this.#nowMs,
      ...page(
        rows.map((row) => ({ ...row })),
        query,
        (row) =>
          `${row.process} ${row.pid} ${row.protocol} ${row.localAddress} ${row.remoteAddress} ${row.remotePort} ${row.service}`,
        keys[query.sort.column] ?? ((row) => row[query.sort.column as 'rxRate']),
      ),
      tcpCount: tcp.length,
      nonTcpCount: nonTcp.length,
      measured: true,
    }
  }

  #details(ownerId: number): ProcessDetails | null {
    const row = this.processes.find((process) => process.ownerId === ownerId)
    if (!row) return null
    const flows = this.flows.filter((flow) => flow.ownerId === ownerId)
    return {
      owner: {
        ownerId,
        pid: row.pid,
        startTimeMs: this.#nowMs - 7_400_000,
        parentPid: 1800,
        name: row.name,
        exe: row.exe,
        commandLine: `${row.exe} --profile /home/${row.user}/.local/state/${row.name} --no-remote`,
        uid: 1000,
        user: row.user,
        cgroup: `/user.slice/user-1000.slice/app.slice/app-${row.name}.scope`,
        exited: row.exited,
      },
      parents: [
        { pid: 1800, name: 'gnome-shell' },
        { pid: 1622, name: 'systemd' },
        { pid: 1, name: 'systemd' },
      ],
      traffic: row,
      flows: flows
        .sort((one, other) => other.rxRate + other.txRate - one.rxRate - one.txRate)
        .slice(0, 100)
        .map((flow) => ({ ...flow })),
      flowCount: flows.length,
    }
  }
}
