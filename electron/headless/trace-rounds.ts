/**
 * Tells when a round has finished at a hop, nearest hop first, so that a line per hop and round can be written while the
 * trace goes on.
 */
import type { ProbePlan } from '../helper/prober'
import type { ProbeItem } from '../shared/trace'
import type { ProbeOrder } from '../helper/helper'

/** `closed` is called in the order of rounds, and within one of hops. */
export class TraceRounds implements ProbePlan {
  /** Probes on the way, per round and then per ttl; 0 when all are closed and nearer ones are not. */
  readonly #open = new Map<number, Map<number, number>>()

  constructor(
    private readonly plan: ProbePlan,
    private readonly closed: (round: number, ttl: number) => void,
  ) {}

  nextProbes(nowMs: number): ProbeOrder | null {
    const order = this.plan.nextProbes(nowMs)
    if (order === null) return null
    const round = this.#open.get(order.round) ?? new Map<number, number>()
    this.#open.set(order.round, round)
    for (const { ttl } of order.probes) round.set(ttl, (round.get(ttl) ?? 0) + 1)
    return order
  }

  apply(items: readonly ProbeItem[], nowMs: number): void {
    this.plan.apply(items, nowMs)
    for (const { round, ttl, outcome } of items) {
      if (outcome !== 'reply' && outcome !== 'noReply' && outcome !== 'unsent') continue
      const open = this.#open.get(round)
      const count = open?.get(ttl)
      if (open !== undefined && count !== undefined && count > 0) open.set(ttl, count - 1)
    }
    this.#tell()
  }

  nextRoundMs(): number | null {
    return this.plan.nextRoundMs()
  }

  fail(): void {
    this.plan.fail()
    this.#open.clear()
  }

  #tell(): void {
    const rounds = [...this.#open.keys()].sort((a, b) => a - b)
    for (const round of rounds) {
      const open = this.#open.get(round) ?? new Map<number, number>()
      for (const [ttl, count] of [...open].sort(([a], [b]) => a - b)) {
        if (count > 0) return
        open.delete(ttl)
        this.closed(round, ttl)
      }
      // The plan may still ask for hops farther on, but only of the newest round.
      if (round !== rounds.at(-1)) this.#open.delete(round)
    }
  }
}
