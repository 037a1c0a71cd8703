/**
 * What `monitor --format jsonl` prints, line by line. Members of these lines are a contract with other programs: they are
 * added, never renamed.
 */
import type { FlowRow, InterfaceStatus, ProcessesView, StatusView } from '../shared/views'

export function helloLine(status: StatusView): object {
  return {
    type: 'hello',
    helperPid: status.helper.pid,
    helperVersion: status.helper.version,
    interfaces: status.interfaces.map(({ name, linkType, state, loopback, addresses }) => ({
      name,
      linkType,
      state,
      loopback,
      addresses,
    })),
  }
}

/** Totals since the start; `type` says whether more will follow. */
export function totalsLine(
  type: 'tick' | 'summary',
  status: StatusView,
  processes: ProcessesView,
  flows: readonly FlowRow[] | null,
): object {
  const { rxBytes, txBytes, rxPackets, txPackets } = processes.unattributed
  return {
    type,
    timeMs: processes.timeMs,
    measured: processes.measured,
    interfaces: status.interfaces.map(interfaceLine),
    processes: processes.rows
      .filter((row) => row.rxBytes + row.txBytes > 0 || !processes.measured)
      .map((row) => ({
        pid: row.pid,
        name: row.name,
        exe: row.exe,
        user: row.user,
        rxBytes: row.rxBytes,
        txBytes: row.txBytes,
        rxPackets: row.rxPackets,
        txPackets: row.txPackets,
        rxRate: Math.round(row.rxRate),
        txRate: Math.round(row.txRate),
        flows: row.flows,
        exited: row.exited,
      })),
    unattributed: {
      rxBytes,
      txBytes,
      rxPackets,
      txPackets,
      reasons: Object.fromEntries(processes.unattributed.reasons.map(({ reason, bytes }) => [reason, bytes])),
    },
    ...(flows === null ? {} : { flows: flows.map(flowLine) }),
  }
}

function interfaceLine(row: InterfaceStatus): object {
  return {
    name: row.name,
    linkType: row.linkType,
    state: row.state,
    rxBytes: row.rxBytes,
    txBytes: row.txBytes,
    rxPackets: row.rxPackets,
    txPackets: row.txPackets,
    received: row.received,
    dropped: row.dropped,
    ifDropped: row.ifDropped,
  }
}

function flowLine(row: FlowRow): object {
  return {
    protocol: row.protocol,
    localAddress: row.localAddress,
    localPort: row.localPort,
    remoteAddress: row.remoteAddress,
    remotePort: row.remotePort,
    service: row.service,
    interface: row.interface,
    rxBytes: row.rxBytes,
    txBytes: row.txBytes,
    rxPackets: row.rxPackets,
    txPackets: row.txPackets,
    rxRate: Math.round(row.rxRate),
    txRate: Math.round(row.txRate),
    state: row.state,
    pid: row.ownerId === 0 ? null : row.pid,
    process: row.ownerId === 0 ? null : row.process,
    attribution: row.attribution,
    reason: row.reason,
    ageMs: Math.round(row.ageMs),
    ended: row.ended,
    endReason: row.endReason,
    retransmits: row.retransmits,
    handshakeRttMs: row.handshakeRttMs,
  }
}
