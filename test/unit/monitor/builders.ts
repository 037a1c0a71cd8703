/** Messages of a helper, with what a test does not care about filled in. */
import type {
  FlowRecord,
  FlowTotals,
  HelperFlows,
  HelperHello,
  HelperInterface,
  HelperInterfaceTotals,
  HelperTick,
  Owner,
  SocketRecord,
} from '../../../electron/shared/helper-messages'

export const startMs = 1_800_000_000_000

export function hello(
  privileges: Partial<HelperHello['privileges']> = {},
  mode: HelperHello['mode'] = 'live',
): HelperHello {
  return {
    type: 'hello',
    protocol: { major: 1, minor: 0 },
    helperVersion: '0.1.0',
    features: [],
    mode,
    privileges: { netRaw: true, sysPtrace: true, dacReadSearch: true, ...privileges },
    limits: { maxFlows: 1000, maxFrameBytes: 1, maxControlBytes: 1, maxInterfaces: 8, maxOwners: 1000 },
    bootId: '',
    pid: 7,
  }
}

export function owner(ownerId: number, rest: Partial<Owner> = {}): Owner {
  return {
    ownerId,
    pid: 1000 + ownerId,
    startTimeMs: 5000 + ownerId,
    parentPid: 1,
    name: `program${ownerId}`,
    exe: `/usr/bin/program${ownerId}`,
    commandLine: `program${ownerId} --run`,
    uid: 1000,
    user: 'ada',
    cgroup: '/',
    exited: false,
    ...rest,
  }
}

export function captured(id: number, name: string, rest: Partial<HelperInterface> = {}): HelperInterface {
  return {
    id,
    index: id,
    name,
    linkType: 'ethernet',
    state: 'capturing',
    loopback: false,
    linkLayerAddress: '02:00:5e:10:00:01',
    mtu: 1500,
    addresses: [],
    ...rest,
  }
}

export function record(flowId: number, rest: Partial<FlowRecord> = {}): FlowRecord {
  return {
    flowId,
    firstSeenUs: startMs * 1000,
    lastSeenUs: startMs * 1000,
    rxBytes: 0,
    txBytes: 0,
    rxPackets: 0,
    txPackets: 0,
    inode: 0,
    localAddress: '192.0.2.1',
    remoteAddress: '198.51.100.1',
    localPort: 40_000 + (flowId % 20_000),
    remotePort: 443,
    interfaceId: 1,
    ownerId: 0,
    uid: -1,
    handshakeRttUs: 0,
    etherType: 0x0800,
    vlanId: 0,
    family: 4,
    protocol: 6,
    state: 'established',
    attribution: 'none',
    reason: 'none',
    ended: false,
    initiator: 'local',
    synthetic: false,
    endReason: 'alive',
    rxTcpFlags: 0,
    txTcpFlags: 0,
    retransmits: 0,
    payloadBytes: 0,
    ...rest,
  }
}

export function flows(tick: number, records: readonly FlowRecord[]): HelperFlows {
  // A batch shows what was true when it was made.
  const copies = records.map((each) => ({ ...each }))
  const at = (index: number): FlowRecord => {
    const found = copies[index]
    if (found === undefined) throw new RangeError(`no record ${index}`)
    return found
  }
  return {
    type: 'flows',
    tick,
    count: copies.length,
    flowIdAt: (index) => at(index).flowId,
    readTotals: (index, target: FlowTotals) => {
      const { localAddress: _local, remoteAddress: _remote, ...totals } = at(index)
      Object.assign(target, totals)
    },
    readRecord: (index) => ({ ...at(index) }),
  }
}

export function interfaceTotals(id: number, rest: Partial<HelperInterfaceTotals> = {}): HelperInterfaceTotals {
  return {
    id,
    rxBytes: 0,
    txBytes: 0,
    rxPackets: 0,
    txPackets: 0,
    received: 0,
    dropped: 0,
    ifDropped: 0,
    flows: 0,
    ...rest,
  }
}

export function tick(tick: number, timeMs: number, interfaces: HelperInterfaceTotals[] = []): HelperTick {
  return { type: 'tick', tick, timeMs, interfaces, lookup: { pending: 0, overloaded: 0 } }
}

export function socket(rest: Partial<SocketRecord> = {}): SocketRecord {
  return {
    inode: 1,
    localAddress: '192.0.2.1',
    remoteAddress: '198.51.100.1',
    localPort: 40_000,
    remotePort: 443,
    ownerId: 0,
    uid: 1000,
    interfaceIndex: 0,
    rxQueueBytes: 0,
    txQueueBytes: 0,
    family: 4,
    protocol: 6,
    state: 'ESTAB',
    reason: 'none',
    rxBytes: 0,
    txBytes: 0,
    rttUs: 0,
    rttVarianceUs: 0,
    retransmits: 0,
    congestionWindow: 0,
    ...rest,
  }
}

/** A query for everything. */
export const all = { filter: '', offset: 0, limit: Number.MAX_SAFE_INTEGER, holdOrder: false } as const

export const helperStatus = { state: 'running', version: '', pid: 7, restarts: 0, message: '' } as const
