/**
 * The Processes tab: who uses how much.
 */
import type { ProcessColumn, ProcessesQuery, ProcessesView, ProcessRow, UnattributedRow } from '../../shared/views'
import type { Ledger, ProcessAccount } from '../ledger'
import { filterWords, matches } from './filter'
import type { Names } from './flow-rows'
import { OrderedPages } from './ordered-pages'
import { sharePct, trafficOf } from './traffic'

export interface ProcessesSource {
  nowMs: number
  ledger: Ledger
  measured: boolean
  names: Names
}

export class ProcessesFeed {
  readonly #pages = new OrderedPages<ProcessAccount>((account) => account.process.id)

  constructor(private readonly source: () => ProcessesSource) {}

  view(query: ProcessesQuery): ProcessesView {
    const { nowMs, ledger, measured, names } = this.source()
    const words = filterWords(query.filter)
    const accounts: ProcessAccount[] = []
    let totalCount = 0
    for (const account of ledger.accounts) {
      if (account.isEmpty) continue
      totalCount += 1
      if (matches(words, searchText(account, names))) accounts.push(account)
    }
    const rows = this.#pages.page(accounts, compareBy(query.sort.column, query.sort.descending, names), {
      offset: query.offset,
      limit: query.limit,
      holdOrder: query.holdOrder,
      orderKey: `${query.sort.column} ${query.sort.descending}`,
    })
    return {
      timeMs: nowMs,
      offset: query.offset,
      rowCount: accounts.length,
      totalCount,
      rows: rows.map((account) => processRow(account, ledger, names)),
      unattributed: unattributedRow(ledger),
      captured: trafficOf(ledger.captured, ledger.window),
      measured,
    }
  }
}

function processRow(account: ProcessAccount, ledger: Ledger, names: Names): ProcessRow {
  const { owner } = account.process
  return {
    ownerId: account.process.id,
    pid: owner.pid,
    name: owner.name,
    exe: owner.exe,
    user: userOf(account, names),
    flows: account.flows,
    sharePct: sharePct(account, ledger.captured),
    exited: owner.exited,
    ...trafficOf(account, ledger.window),
  }
}

function unattributedRow(ledger: Ledger): UnattributedRow {
  const { unattributed, window, captured } = ledger
  const reasons = [...unattributed.entries()].map(([reason, tally]) => ({
    reason,
    bytes: tally.rxBytes + tally.txBytes,
    rate: window.rate(tally.rxWindowBytes + tally.txWindowBytes),
    flows: tally.flows,
  }))
  reasons.sort((a, b) => b.bytes - a.bytes)
  return {
    ...trafficOf(unattributed.total, window),
    flows: unattributed.total.flows,
    sharePct: sharePct(unattributed.total, captured),
    reasons,
  }
}

function userOf({ process }: ProcessAccount, names: Names): string {
  if (process.owner.pid === 0) return ''
  return process.owner.user || names.userName(process.owner.uid) || String(process.owner.uid)
}

function searchText(account: ProcessAccount, names: Names): string {
  const { process } = account
  const { owner } = process
  process.searchText ??= [owner.name, owner.exe, owner.commandLine, String(owner.pid), userOf(account, names)]
    .join('\n')
    .toLowerCase()
  return process.searchText
}

type Compare = (a: ProcessAccount, b: ProcessAccount) => number

/** Equal rows stand in the order in which they appeared, whichever way the list is sorted. */
function compareBy(column: ProcessColumn, descending: boolean, names: Names): Compare {
  const sign = descending ? -1 : 1
  const compare = columns(names)[column]
  return (a, b) => sign * compare(a, b) || a.process.id - b.process.id
}

function columns(names: Names): Record<ProcessColumn, Compare> {
  return {
    name: (a, b) => compareText(a.process.owner.name, b.process.owner.name),
    pid: (a, b) => a.process.owner.pid - b.process.owner.pid,
    user: (a, b) => compareText(userOf(a, names), userOf(b, names)),
    rxRate: (a, b) => a.rxWindowBytes - b.rxWindowBytes,
    txRate: (a, b) => a.txWindowBytes - b.txWindowBytes,
    rxBytes: (a, b) => a.rxBytes - b.rxBytes,
    txBytes: (a, b) => a.txBytes - b.txBytes,
    flows: (a, b) => a.flows - b.flows,
    // By the same figures as the share itself: what moves now, and the totals where nothing does.
    share: (a, b) =>
      a.rxWindowBytes + a.txWindowBytes - (b.rxWindowBytes + b.txWindowBytes) ||
      a.rxBytes + a.txBytes - (b.rxBytes + b.txBytes),
  }
}

function compareText(a: string, b: string): number {
  const lowerA = a.toLowerCase()
  const lowerB = b.toLowerCase()
  return lowerA < lowerB ? -1 : lowerA > lowerB ? 1 : 0
}
