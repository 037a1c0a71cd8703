/**
 * Bytes without an owner, one tally per reason: why they have none is as much a figure as how many they are.
 */
import { reasons, type Reason } from '../shared/words'
import { Tally } from './tally'

export class Unattributed {
  readonly total: Tally
  readonly #byReason: ReadonlyMap<Reason, Tally>

  constructor(captured: Tally) {
    this.total = new Tally(captured)
    this.#byReason = new Map(reasons.map((reason) => [reason, new Tally(this.total)]))
  }

  /** A flow without owner and without reason has not been looked at yet. */
  account(reason: Reason): Tally {
    const account = this.#byReason.get(reason === 'none' ? 'pending' : reason)
    if (account === undefined) throw new Error(`No account for ${reason}.`)
    return account
  }

  /** Every reason that has or had bytes or flows. */
  *entries(): Generator<[Reason, Tally]> {
    for (const [reason, tally] of this.#byReason) {
      if (tally.rxBytes + tally.txBytes > 0 || tally.flows > 0) yield [reason, tally]
    }
  }
}
