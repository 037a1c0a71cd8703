/**
 * The status bar: what is captured, and what is missing.
 */
import type { Degraded } from '../../shared/errors'
import type { InterfaceStatus, StatusView } from '../../shared/views'
import type { InterfaceTable } from '../interface-table'
import type { Ledger } from '../ledger'
import { trafficOf } from './traffic'

/** Reasons that the grant mends. */
const grantable = new Set(['needsNetRaw', 'needsSysPtrace', 'needsDacReadSearch'])

export interface StatusSource {
  nowMs: number
  helper: StatusView['helper']
  mode: StatusView['mode']
  interfaces: InterfaceTable
  ledger: Ledger
  flowCount: number
  degraded: Degraded[]
}

export function interfaceStatuses(interfaces: InterfaceTable, ledger: Ledger): InterfaceStatus[] {
  return interfaces.sums().map((sum) => ({
    id: sum.info.id,
    name: sum.info.name,
    state: sum.info.state,
    linkType: sum.info.linkType,
    loopback: sum.info.loopback,
    addresses: sum.info.addresses.map(({ address }) => address),
    rxRate: ledger.window.rate(sum.rxWindowBytes),
    txRate: ledger.window.rate(sum.txWindowBytes),
    rxBytes: sum.rxBytes,
    txBytes: sum.txBytes,
    rxPackets: sum.rxPackets,
    txPackets: sum.txPackets,
    received: sum.received,
    dropped: sum.dropped,
    ifDropped: sum.ifDropped,
  }))
}

export function statusView(source: StatusSource): StatusView {
  const interfaces = interfaceStatuses(source.interfaces, source.ledger)
  return {
    timeMs: source.nowMs,
    helper: source.helper,
    mode: source.mode,
    interfaces,
    received: interfaces.reduce((sum, { received }) => sum + received, 0),
    dropped: interfaces.reduce((sum, { dropped, ifDropped }) => sum + dropped + ifDropped, 0),
    captured: trafficOf(source.ledger.captured, source.ledger.window),
    flowCount: source.flowCount,
    degraded: source.degraded,
    grantOffered: source.mode !== 'demo' && source.degraded.some(({ code }) => grantable.has(code)),
  }
}
