/**
 * Sums of bytes and packets. Tallies form a tree (process -> captured, reason -> unattributed -> captured), and whatever is
 * charged to one is charged to all above it in the same step: that is why the parts always add up to the whole.
 */
export class Tally {
  rxBytes = 0
  txBytes = 0
  rxPackets = 0
  txPackets = 0
  /** Bytes inside the rate window, see rate-window.ts. */
  rxWindowBytes = 0
  txWindowBytes = 0
  /** Live flows, buckets excepted. */
  flows = 0
  /** When bytes were last charged. */
  lastActiveMs = 0

  constructor(readonly parent: Tally | null) {}

  /** Adds (`sign` 1) or takes away (-1) all figures of `part`, which must not be in this branch, here and above. */
  merge(part: Readonly<Figures>, flows: number, sign: 1 | -1): void {
    this.rxBytes += sign * part.rxBytes
    this.txBytes += sign * part.txBytes
    this.rxPackets += sign * part.rxPackets
    this.txPackets += sign * part.txPackets
    this.rxWindowBytes += sign * part.rxWindowBytes
    this.txWindowBytes += sign * part.txWindowBytes
    this.flows += sign * flows
    this.parent?.merge(part, flows, sign)
  }

  /** Adds bytes and packets, here and above. */
  charge(rxBytes: number, txBytes: number, rxPackets: number, txPackets: number, nowMs: number): void {
    this.lastActiveMs = nowMs
    this.rxBytes += rxBytes
    this.txBytes += txBytes
    this.rxPackets += rxPackets
    this.txPackets += txPackets
    this.parent?.charge(rxBytes, txBytes, rxPackets, txPackets, nowMs)
  }

  countFlow(change: 1 | -1): void {
    this.flows += change
    this.parent?.countFlow(change)
  }
}

export interface Figures {
  rxBytes: number
  txBytes: number
  rxPackets: number
  txPackets: number
  rxWindowBytes: number
  txWindowBytes: number
}
