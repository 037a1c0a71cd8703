/**
 * The flows of the present run of the helper, and for a while those that have ended.
 *
 * The helper bounds live flows (`limits.maxFlows` per interface) and counts the rest in buckets, so this table holds no more
 * than it reports. Ended flows are bounded here, see `KeepEnded`; their bytes stay in the ledger.
 */
import type { HelperFlows } from '../shared/helper-messages'
import type { EndReason } from '../shared/words'
import { Flow } from './flow'
import type { InterfaceTable } from './interface-table'
import { ProcessAccount, type Ledger } from './ledger'
import type { Tally } from './tally'

/** How long ended flows are kept, and how many: the oldest go first, so a flood of short flows shows only its newest. */
export interface KeepEnded {
  forMs: number
  atMost: number
}

export const keepEndedDefault: KeepEnded = { forMs: 10_000, atMost: 5000 }

/** The part of a record that says what a flow has moved so far. */
interface Totals {
  rxBytes: number
  txBytes: number
  rxPackets: number
  txPackets: number
}

export class FlowTable {
  /** By the helper's flowId. */
  #live = new Map<number, Flow>()
  /** In the order in which they ended. */
  #ended: Flow[] = []
  /** Buckets of bytes that are no flows: in the ledger, but not in any list. */
  #buckets = 0
  #lastId = 0
  /** Reused for every record: what the flow had moved before it. */
  readonly #before: Totals = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0 }

  constructor(
    private readonly ledger: Ledger,
    private readonly interfaces: InterfaceTable,
    private readonly keepEnded: KeepEnded = keepEndedDefault,
    /** Lists buckets too, for lists that must add up to what was captured. */
    private readonly listBuckets = false,
  ) {}

  /** Live flows, buckets excepted. */
  get liveCount(): number {
    return this.#live.size - this.#buckets
  }

  /** Calls `visit` for every flow that is listed: live ones, then ended ones. */
  forEach(visit: (flow: Flow) => void): void {
    for (const flow of this.#live.values()) if (!flow.synthetic || this.listBuckets) visit(flow)
    for (const flow of this.#ended) visit(flow)
  }

  apply(batch: HelperFlows, nowMs: number): void {
    for (let index = 0; index < batch.count; index += 1) {
      const flowId = batch.flowIdAt(index)
      const known = this.#live.get(flowId)
      if (known === undefined) {
        const record = batch.readRecord(index)
        this.#noteTotals(zero)
        const account = this.ledger.account(record.ownerId, record.reason)
        this.#lastId += 1
        const flow = new Flow(
          this.#lastId,
          record,
          account,
          processOf(account),
          this.interfaces.find(record.interfaceId),
        )
        this.#live.set(flowId, flow)
        if (flow.synthetic) this.#buckets += 1
        else account.countFlow(1)
        flow.rxBytes = record.rxBytes
        flow.txBytes = record.txBytes
        flow.rxPackets = record.rxPackets
        flow.txPackets = record.txPackets
        this.#settle(flow, nowMs)
      } else {
        this.#noteTotals(known)
        const { state } = known
        batch.readTotals(index, known)
        if (known.state !== state) known.searchText = null
        this.#reassign(known)
        this.#settle(known, nowMs)
      }
    }
  }

  /** All flows end: the run that reported them is over. */
  endAll(endReason: EndReason, nowMs: number): void {
    for (const flow of [...this.#live.values()]) {
      flow.endReason = endReason
      this.#end(flow, nowMs)
    }
  }

  /** Forgets flows that ended long enough ago. */
  forget(nowMs: number): void {
    let gone = Math.max(0, this.#ended.length - this.keepEnded.atMost)
    while (gone < this.#ended.length && nowMs - (this.#ended[gone]?.endedMs ?? 0) >= this.keepEnded.forMs) gone += 1
    if (gone > 0) this.#ended = this.#ended.slice(gone)
  }

  #noteTotals(totals: Totals): void {
    this.#before.rxBytes = totals.rxBytes
    this.#before.txBytes = totals.txBytes
    this.#before.rxPackets = totals.rxPackets
    this.#before.txPackets = totals.txPackets
  }

  /** Charges what the flow has moved since `#before`, and ends it if the record says so. */
  #settle(flow: Flow, nowMs: number): void {
    const before = this.#before
    // Totals never go down; a record that says so is wrong, and believing it would take captured bytes back.
    if (flow.rxBytes < before.rxBytes) flow.rxBytes = before.rxBytes
    if (flow.txBytes < before.txBytes) flow.txBytes = before.txBytes
    if (flow.rxPackets < before.rxPackets) flow.rxPackets = before.rxPackets
    if (flow.txPackets < before.txPackets) flow.txPackets = before.txPackets
    const rxBytes = flow.rxBytes - before.rxBytes
    const txBytes = flow.txBytes - before.txBytes
    const rxPackets = flow.rxPackets - before.rxPackets
    const txPackets = flow.txPackets - before.txPackets
    if (rxPackets > 0 || txPackets > 0 || rxBytes > 0 || txBytes > 0) {
      flow.account.charge(rxBytes, txBytes, rxPackets, txPackets, nowMs)
      this.ledger.window.charge(flow, rxBytes, txBytes)
    }
    if (flow.ended) this.#end(flow, nowMs)
  }

  /** Moves a flow, with all that it has used so far, to the account that its last record names. */
  #reassign(flow: Flow): void {
    const account = this.ledger.account(flow.ownerId, flow.reason)
    if (account === flow.account) return
    // The new totals are already in the flow, but only what was charged so far may move.
    const charged = { ...this.#before, rxWindowBytes: flow.rxWindowBytes, txWindowBytes: flow.txWindowBytes }
    const flows = flow.synthetic ? 0 : 1
    flow.account.merge(charged, flows, -1)
    account.merge(charged, flows, 1)
    account.lastActiveMs = Math.max(account.lastActiveMs, flow.account.lastActiveMs)
    flow.account = account
    flow.process = processOf(account)
    flow.searchText = null
  }

  #end(flow: Flow, nowMs: number): void {
    flow.ended = true
    flow.endedMs = nowMs
    this.#live.delete(flow.flowId)
    if (flow.synthetic) {
      this.#buckets -= 1
      if (!this.listBuckets) return
    } else flow.account.countFlow(-1)
    this.#ended.push(flow)
    // Trimmed here too, not only with the clock: a long batch of a flood would hold them all until the tick.
    if (this.#ended.length > 2 * this.keepEnded.atMost) this.#ended = this.#ended.slice(-this.keepEnded.atMost)
  }
}

const zero: Totals = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0 }

function processOf(account: Tally) {
  return account instanceof ProcessAccount ? account.process : null
}
