/**
 * A flow as a row: what it is called, and the text by which it is found.
 */
import { formatEndpoint } from '../../shared/units'
import type { FlowRow } from '../../shared/views'
import type { Flow } from '../flow'
import type { RateWindow } from '../rate-window'

/** Names that the monitor has no data for itself; `''` unknown. */
export interface Names {
  serviceName(protocol: 'TCP' | 'UDP' | 'SCTP', port: number): string
  protocolName(protocol: number): string
  etherTypeName(etherType: number): string
  userName(uid: number): string
}

const commonProtocols: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  6: 'TCP',
  17: 'UDP',
  58: 'ICMPv6',
  132: 'SCTP',
}

export function protocolLabel(flow: Flow, names: Names): string {
  if (flow.synthetic) return 'any'
  if (flow.family === 0) {
    return names.etherTypeName(flow.etherType) || `0x${flow.etherType.toString(16).padStart(4, '0')}`
  }
  return commonProtocols[flow.protocol] ?? (names.protocolName(flow.protocol) || String(flow.protocol))
}

/** The service at the end that was called; when that is not known, at the end whose port has a name. */
export function serviceLabel(flow: Flow, names: Names): string {
  const protocol = flow.protocol === 6 ? 'TCP' : flow.protocol === 17 ? 'UDP' : flow.protocol === 132 ? 'SCTP' : null
  if (protocol === null || flow.family === 0) return ''
  const { localPort, remotePort, initiator } = flow
  if (initiator === 'local') return names.serviceName(protocol, remotePort)
  if (initiator === 'remote') return names.serviceName(protocol, localPort)
  const [lower, higher] = localPort < remotePort ? [localPort, remotePort] : [remotePort, localPort]
  return names.serviceName(protocol, lower) || names.serviceName(protocol, higher)
}

export function searchText(flow: Flow, names: Names): string {
  const owner = flow.process?.owner ?? null
  // A process changes its name when it runs another program.
  if (flow.searchText === null || flow.searchOwner !== owner) {
    flow.searchOwner = owner
    flow.searchText = [
      owner?.name ?? '',
      owner?.exe ?? '',
      owner === null ? '' : String(owner.pid),
      protocolLabel(flow, names),
      formatEndpoint(flow.localAddress, flow.localPort),
      formatEndpoint(flow.remoteAddress, flow.remotePort),
      serviceLabel(flow, names),
      flow.interfaceName,
      flow.state === 'none' ? '' : flow.state,
      flow.reason === 'none' ? '' : flow.reason,
    ]
      .join('\n')
      .toLowerCase()
  }
  return flow.searchText
}

export function flowRow(flow: Flow, nowMs: number, window: RateWindow, names: Names): FlowRow {
  const lastMs = flow.ended ? flow.lastSeenUs / 1000 : nowMs
  return {
    flowId: flow.id,
    ownerId: flow.process?.id ?? 0,
    pid: flow.process?.owner.pid ?? 0,
    process: flow.process?.owner.name ?? '',
    protocol: protocolLabel(flow, names),
    family: flow.family,
    localAddress: flow.localAddress,
    localPort: flow.localPort,
    remoteAddress: flow.remoteAddress,
    remotePort: flow.remotePort,
    service: serviceLabel(flow, names),
    interface: flow.interfaceName,
    state: flow.state,
    ageMs: Math.max(0, lastMs - flow.firstSeenUs / 1000),
    attribution: flow.attribution,
    reason: flow.reason,
    ended: flow.ended,
    endReason: flow.endReason,
    retransmits: flow.retransmits,
    handshakeRttMs: flow.handshakeRttUs / 1000,
    rxBytes: flow.rxBytes,
    txBytes: flow.txBytes,
    rxPackets: flow.rxPackets,
    txPackets: flow.txPackets,
    rxRate: window.rate(flow.rxWindowBytes),
    txRate: window.rate(flow.txWindowBytes),
  }
}
