/**
 * One process in full.
 */
import type { ProcessDetails } from '../../shared/views'
import type { Flow } from '../flow'
import type { Ledger } from '../ledger'
import type { Process, ProcessTable } from '../process-table'
import type { FlowSource } from './connections'
import { flowRow, type Names } from './flow-rows'
import { firstInOrder } from './ordered-pages'
import { noTraffic, trafficOf } from './traffic'

const maxFlows = 100

export interface DetailsSource {
  nowMs: number
  ledger: Ledger
  flows: FlowSource
  processes: ProcessTable
  names: Names
}

export function processDetails(process: Process, source: DetailsSource): ProcessDetails {
  const { nowMs, ledger, flows, processes, names } = source
  const own: Flow[] = []
  flows.forEach((flow) => {
    if (flow.process === process) own.push(flow)
  })
  const account = ledger.accountOf(process)
  return {
    owner: { ...process.owner, user: process.owner.user || names.userName(process.owner.uid) },
    parents: processes.parents(process),
    traffic: account === null ? { ...noTraffic } : trafficOf(account, ledger.window),
    flows: firstInOrder(own, busiestFirst, Math.min(maxFlows, own.length)).map((flow) =>
      flowRow(flow, nowMs, ledger.window, names),
    ),
    flowCount: own.length,
  }
}

function busiestFirst(a: Flow, b: Flow): number {
  return (
    b.rxWindowBytes + b.txWindowBytes - (a.rxWindowBytes + a.txWindowBytes) ||
    b.rxBytes + b.txBytes - (a.rxBytes + a.txBytes) ||
    a.id - b.id
  )
}
