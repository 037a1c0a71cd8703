/**
 * A helper that tells a story instead of capturing: for `npm run demo`, tests of the window and the bench. It behaves as
 * native/PROTOCOL.md says, so that nobody above can tell the difference.
 */
import { fail, succeed, type Outcome } from '../shared/errors'
import type {
  FlowRecord,
  FlowTotals,
  HelperFlows,
  HelperHello,
  HelperInterface,
  HelperInterfaceTotals,
  Link,
  Neighbor,
  Owner,
  Route,
  SocketRecord,
} from '../shared/helper-messages'
import type {
  CaptureOptions,
  Helper,
  HelperConnector,
  HelperEvents,
  OpenedTrace,
  ProbeOrder,
  TraceOpening,
} from './helper'
import { orphanSource, randomNumbers, residentSource, ScriptedFlow, type Source } from './scripted-flows'
import { bystanders, interfaces, orphans, residents, uidOf, type Resident } from './scripted-household'
import { ScriptedProber } from './scripted-prober'
import { systemClock, type Clock } from './supervisor'

export interface ScriptOptions {
  /** Flows at once; the story itself has a bit more than 400, further ones are spread over its processes. */
  flows?: number
  seed?: number
  clock?: Clock
}

const hello: HelperHello = {
  type: 'hello',
  protocol: { major: 1, minor: 1 },
  helperVersion: 'demo',
  features: ['capture', 'sockets', 'interfaces', 'routes', 'neighbors', 'trace'],
  mode: 'live',
  privileges: { netRaw: true, sysPtrace: true, dacReadSearch: true },
  limits: {
    maxFlows: 131_072,
    maxFrameBytes: 16_777_216,
    maxControlBytes: 65_536,
    maxInterfaces: 64,
    maxOwners: 65_536,
  },
  bootId: '00000000-0000-4000-8000-000000000000',
  pid: process.pid,
}

/** Kernel words for the states that a scripted TCP flow takes. */
const socketStates: Partial<Record<FlowRecord['state'], string>> = {
  synSent: 'SYN-SENT',
  established: 'ESTAB',
  timeWait: 'TIME-WAIT',
}

class RecordList implements HelperFlows {
  readonly type = 'flows'

  constructor(
    readonly tick: number,
    private readonly records: readonly FlowRecord[],
  ) {}

  get count(): number {
    return this.records.length
  }

  flowIdAt(index: number): number {
    return this.#at(index).flowId
  }

  readTotals(index: number, target: FlowTotals): void {
    const { localAddress: _local, remoteAddress: _remote, ...totals } = this.#at(index)
    Object.assign(target, totals)
  }

  readRecord(index: number): FlowRecord {
    return { ...this.#at(index) }
  }

  #at(index: number): FlowRecord {
    const record = this.records[index]
    if (record === undefined) throw new RangeError(`No record ${index} in a batch of ${this.count}.`)
    return record
  }
}

class ScriptedHelper implements Helper {
  readonly hello = hello
  readonly #random: () => number
  readonly #clock: Clock
  readonly #beganMs: number
  readonly #prober: ScriptedProber
  readonly #owners: Owner[] = []
  readonly #flows: ScriptedFlow[] = []
  readonly #totals = new Map<number, HelperInterfaceTotals>()
  #interfaces: readonly HelperInterface[] = []
  #lastFlowId = 0
  #tick = 0
  #tickMs = 1000
  #lastTickMs = 0
  #isSnapshotDue = false
  #isEnded = false
  #cancelTick: (() => void) | null = null

  constructor(
    private readonly events: HelperEvents,
    private readonly options: ScriptOptions,
  ) {
    this.#random = randomNumbers(options.seed ?? 1)
    this.#clock = options.clock ?? systemClock
    this.#beganMs = this.#clock.nowMs()
    this.#prober = new ScriptedProber(this.#clock, this.#random, (items) => {
      this.events.message({ type: 'probes', items })
    })
    this.#moveIn()
  }

  start(options: CaptureOptions): Promise<Outcome<HelperInterface[]>> {
    if (this.#cancelTick !== null) return Promise.resolve(fail('alreadyStarted', 'Capture is running already.'))
    const { interfaces: names } = options
    const unknown = names?.find((name) => !interfaces.some((known) => known.name === name))
    if (unknown !== undefined) {
      return Promise.resolve(fail('noSuchInterface', `There is no interface ${unknown}.`, 'See: headless interfaces'))
    }
    this.#interfaces = interfaces.filter(({ name, loopback }) =>
      names === null ? options.loopback || !loopback : names.includes(name),
    )
    for (const { id } of this.#interfaces) this.#totals.set(id, emptyTotals(id))
    this.#tickMs = options.tickMs
    this.#lastTickMs = this.#clock.nowMs()
    this.#populate()
    for (const info of this.#interfaces) this.events.message({ type: 'interface', ...info })
    this.events.message({ type: 'degraded', reasons: [] })
    this.events.message({ type: 'owners', items: this.#owners })
    this.#plan()
    return Promise.resolve(succeed([...this.#interfaces]))
  }

  configure({ tickMs }: { tickMs: number }): Promise<Outcome<null>> {
    this.#tickMs = tickMs
    return Promise.resolve(succeed(null))
  }

  stop(): Promise<Outcome<null>> {
    if (this.#cancelTick === null) return Promise.resolve(fail('notStarted', 'Nothing is being captured.'))
    this.#cancelTick()
    this.#cancelTick = null
    for (const { record } of this.#flows) {
      record.ended = true
      record.endReason = 'captureStopped'
    }
    this.#isSnapshotDue = true
    this.#sendTick(this.#clock.nowMs())
    return Promise.resolve(succeed(null))
  }

  snapshot(): Promise<Outcome<number>> {
    this.#isSnapshotDue = true
    return Promise.resolve(succeed(this.#tick + 1))
  }

  sockets(): Promise<Outcome<SocketRecord[]>> {
    return Promise.resolve(succeed(this.#flows.filter(({ record }) => record.inode !== 0).map(socketOf)))
  }

  interfaces(): Promise<Outcome<Link[]>> {
    return Promise.resolve(succeed(interfaces.map((info) => linkOf(info, this.#totals.get(info.id)))))
  }

  routes(): Promise<Outcome<Route[]>> {
    const main = { table: 'main', scope: 'global', type: 'unicast' }
    return Promise.resolve(
      succeed([
        {
          ...main,
          family: 4,
          destination: 'default',
          gateway: '192.0.2.1',
          interface: 'wlp2s0',
          metric: 600,
          protocol: 'dhcp',
        },
        {
          ...main,
          family: 4,
          destination: '192.0.2.0/24',
          interface: 'wlp2s0',
          source: '192.0.2.23',
          metric: 600,
          protocol: 'kernel',
          scope: 'link',
        },
        {
          ...main,
          family: 4,
          destination: '203.0.113.192/26',
          interface: 'wg0',
          source: '203.0.113.194',
          protocol: 'kernel',
          scope: 'link',
        },
        {
          ...main,
          family: 6,
          destination: 'default',
          gateway: 'fe80::1',
          interface: 'wlp2s0',
          metric: 600,
          protocol: 'ra',
        },
        { ...main, family: 6, destination: '2001:db8:40::/64', interface: 'wlp2s0', metric: 600, protocol: 'ra' },
      ]),
    )
  }

  neighbors(): Promise<Outcome<Neighbor[]>> {
    const gateway = { linkLayerAddress: '02:00:5e:10:42:01', interface: 'wlp2s0', router: true }
    return Promise.resolve(
      succeed([
        { ...gateway, family: 4, address: '192.0.2.1', nudState: 'REACHABLE' },
        { ...gateway, family: 6, address: 'fe80::1', nudState: 'STALE' },
        {
          family: 4,
          address: '192.0.2.40',
          linkLayerAddress: '02:00:5e:10:42:28',
          interface: 'wlp2s0',
          nudState: 'STALE',
          router: false,
        },
      ]),
    )
  }

  traceOpen(opening: TraceOpening): Promise<Outcome<OpenedTrace>> {
    return Promise.resolve(this.#prober.open(opening))
  }

  traceProbes(traceId: number, order: ProbeOrder): Promise<Outcome<number>> {
    return Promise.resolve(this.#prober.probe(traceId, order))
  }

  traceClose(traceId: number): Promise<Outcome<null>> {
    return Promise.resolve(this.#prober.close(traceId))
  }

  close(): Promise<void> {
    if (this.#isEnded) return Promise.resolve()
    this.#isEnded = true
    this.#prober.closeAll()
    this.#cancelTick?.()
    this.#cancelTick = null
    this.events.ended(null)
    return Promise.resolve()
  }

  #moveIn(): void {
    const pids = new Map<string, number>()
    const everybody: readonly Omit<Resident, 'habits'>[] = [...bystanders, ...residents]
    everybody.forEach((resident, index) => {
      const pid = resident.name === 'systemd' ? 1 : 1200 + 37 * index
      if (!pids.has(resident.name)) pids.set(resident.name, pid)
      this.#owners.push({
        ownerId: index + 1,
        pid,
        startTimeMs: this.#beganMs - Math.floor((2 + 20 * this.#random()) * 600_000),
        parentPid: 0,
        name: resident.name,
        exe: resident.exe,
        commandLine: resident.commandLine,
        uid: uidOf(resident.user),
        user: resident.user,
        cgroup: resident.user === 'ada' ? '/user.slice/user-1000.slice' : `/system.slice/${resident.name}.service`,
        exited: false,
      })
    })
    everybody.forEach((resident, index) => {
      const owner = this.#owners[index]
      if (owner !== undefined) owner.parentPid = resident.parent === undefined ? 0 : (pids.get(resident.parent) ?? 1)
    })
  }

  /** Opens the story's flows on the captured interfaces, and further ones up to the number that was asked for. */
  #populate(): void {
    const idOf = (name: string) => this.#interfaces.find((info) => info.name === name)?.id
    const sources: Source[] = []
    residents.forEach((resident, index) => {
      for (const habit of resident.habits) {
        const interfaceId = idOf(habit.interface ?? 'wlp2s0')
        if (interfaceId === undefined) continue
        const source = residentSource(resident, habit, bystanders.length + index + 1, interfaceId)
        for (let count = 0; count < habit.flows; count += 1) sources.push(source)
      }
    })
    if (idOf('wlp2s0') !== undefined) {
      for (const orphan of orphans) {
        const source = orphanSource(orphan)
        for (let count = 0; count < orphan.flows; count += 1) sources.push(source)
      }
    }
    const nowMs = this.#clock.nowMs()
    const wanted = this.options.flows ?? sources.length
    for (let index = 0; sources.length > 0 && index < wanted; index += 1) {
      const source = sources[index % sources.length] as Source
      // Further flows must move something at every tick, or the bench would measure idle ones.
      const steady =
        index < sources.length ? source : { ...source, habit: { ...source.habit, rhythm: 'steady' as const } }
      this.#flows.push(new ScriptedFlow(steady, this.#random, this.#nextFlowId(), nowMs, 0))
    }
  }

  #plan(): void {
    this.#cancelTick = this.#clock.after(this.#tickMs, () => {
      this.#plan()
      this.#sendTick(this.#clock.nowMs())
    })
  }

  #sendTick(nowMs: number): void {
    this.#tick += 1
    const seconds = Math.max(0, nowMs - this.#lastTickMs) / 1000
    const elapsedS = (nowMs - this.#beganMs) / 1000
    this.#lastTickMs = nowMs
    const changed: FlowRecord[] = []
    for (const flow of this.#flows) {
      const { record } = flow
      const { rxBytes, txBytes, rxPackets, txPackets } = record
      const isNew = rxPackets === 0 && txPackets === 0
      if (!flow.step(seconds, nowMs, elapsedS) && !this.#isSnapshotDue) continue
      // A flow begins with its first packet.
      if (isNew && record.rxPackets === 0 && record.txPackets === 0) {
        if (record.ended) flow.renew(this.#nextFlowId(), nowMs, elapsedS)
        continue
      }
      changed.push(record)
      const totals = this.#totals.get(record.interfaceId)
      if (totals !== undefined) {
        totals.rxBytes += record.rxBytes - rxBytes
        totals.txBytes += record.txBytes - txBytes
        totals.rxPackets += record.rxPackets - rxPackets
        totals.txPackets += record.txPackets - txPackets
        totals.received = totals.rxPackets + totals.txPackets
      }
      if (record.ended) flow.renew(this.#nextFlowId(), nowMs, elapsedS)
    }
    this.#isSnapshotDue = false
    this.events.message(new RecordList(this.#tick, changed))
    this.events.message({
      type: 'tick',
      tick: this.#tick,
      timeMs: nowMs,
      interfaces: [...this.#totals.values()].map((totals) => ({ ...totals })),
      lookup: { pending: 0, overloaded: 0 },
    })
  }

  #nextFlowId(): number {
    this.#lastFlowId += 1
    return this.#lastFlowId
  }
}

function emptyTotals(id: number): HelperInterfaceTotals {
  return { id, rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, received: 0, dropped: 0, ifDropped: 0, flows: 0 }
}

function socketOf({ record, source }: ScriptedFlow): SocketRecord {
  const isConnected = record.protocol === 6 || source.habit.port === 443
  return {
    inode: record.inode,
    localAddress: record.localAddress,
    remoteAddress: isConnected ? record.remoteAddress : '',
    localPort: record.localPort,
    remotePort: isConnected ? record.remotePort : 0,
    ownerId: source.ownerId,
    uid: source.uid,
    interfaceIndex: 0,
    rxQueueBytes: 0,
    txQueueBytes: 0,
    family: record.family,
    protocol: record.protocol,
    state: socketStates[record.state] ?? (isConnected ? 'ESTAB' : 'UNCONN'),
    reason: 'none',
    rxBytes: record.protocol === 6 ? record.rxBytes : 0,
    txBytes: record.protocol === 6 ? record.txBytes : 0,
    rttUs: record.handshakeRttUs,
    rttVarianceUs: 0,
    retransmits: record.retransmits,
    congestionWindow: record.protocol === 6 ? 10 : 0,
  }
}

function linkOf(info: HelperInterface, totals = emptyTotals(info.id)): Link {
  return {
    index: info.index,
    name: info.name,
    kind: info.name === 'wg0' ? 'wireguard' : '',
    flags: info.loopback ? ['LOOPBACK', 'UP', 'LOWER_UP'] : ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
    operState: info.loopback || info.name === 'wg0' ? 'UNKNOWN' : 'UP',
    linkLayerAddress: info.linkLayerAddress,
    mtu: info.mtu,
    rxBytes: totals.rxBytes,
    txBytes: totals.txBytes,
    rxPackets: totals.rxPackets,
    txPackets: totals.txPackets,
    rxErrors: 0,
    txErrors: 0,
    rxDropped: 0,
    txDropped: 0,
    addresses: info.addresses.map((address) => ({ ...address, flags: ['permanent'] })),
  }
}

/** Connects to the story from its beginning. */
export function connectScripted(options: ScriptOptions = {}): HelperConnector {
  return (events) => {
    const helper = new ScriptedHelper(events, options)
    events.message(hello)
    return Promise.resolve(succeed(helper))
  }
}
