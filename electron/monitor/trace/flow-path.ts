/**
 * How far one flow's path is known to reach, and so which ttls are worth a probe: at first a window that runs ahead of the
 * answers, later the known length.
 */
import type { TraceStopReason } from '../../shared/trace'
import type { Answer } from './answers'

/**
 * Silent hops in a row after which nothing more is expected. In the first round it is also the number of hops asked at
 * once, so that a path of up to 16 hops is complete after one round-trip; every later round is thrifty.
 */
const firstRoundGap = 16
const laterRoundGap = 5

/** How close to the end of the plan an answer must come for the plan to move on. */
const answersAhead = 4

export class FlowPath {
  #lastAnswering: number
  #end: number | null = null
  #endBefore: number | null = null
  #endReason: 'destination' | 'unreachable' | null = null
  #planned = 0
  #round = 0

  constructor(
    readonly flow: number,
    private readonly firstTtl: number,
    private readonly maxTtl: number,
  ) {
    this.#lastAnswering = firstTtl - 1
  }

  /** Where the path ends, null while unknown. */
  get end(): number | null {
    return this.#end
  }

  /** Where it ended before its end last changed, null if it never had another. */
  get endBefore(): number | null {
    return this.#endBefore
  }

  /** The last ttl worth showing. */
  get shownUpTo(): number {
    return this.#end ?? Math.max(this.#lastAnswering, Math.min(this.#planned, this.#lastAnswering + this.#gap()))
  }

  get stopReason(): TraceStopReason {
    if (this.#endReason !== null) return this.#endReason
    if (this.#planned >= this.maxTtl) return 'maxTtl'
    return this.#planned >= this.#lastAnswering + this.#gap() ? 'gap' : 'none'
  }

  beginRound(round: number): number[] {
    this.#round = round
    this.#planned = this.firstTtl - 1
    return this.extend(true)
  }

  /**
   * The ttls to probe next in this round. While answers are on the way the plan moves on only when they come close to its end,
   * so that a short path costs no probes behind its destination; `nothingOpen`: no answer will come any more.
   */
  extend(nothingOpen: boolean): number[] {
    if (!nothingOpen && this.#lastAnswering < this.#planned - answersAhead) return []
    const wanted = this.#end ?? this.#lastAnswering + this.#gap()
    const upTo = Math.min(wanted, this.maxTtl)
    const ttls: number[] = []
    for (let ttl = this.#planned + 1; ttl <= upTo; ttl += 1) ttls.push(ttl)
    this.#planned = Math.max(this.#planned, upTo)
    return ttls
  }

  /** Takes an answer; true when the known end of the path has changed. */
  answered(ttl: number, answer: Answer): boolean {
    if (answer.kind === 'transit') {
      this.#lastAnswering = Math.max(this.#lastAnswering, ttl)
      // A router where the end was: the path has grown.
      if (this.#end === null || ttl < this.#end) return false
      this.#endBefore = this.#end
      this.#end = null
      this.#endReason = null
      return true
    }
    if (this.#end !== null && ttl >= this.#end) return false
    this.#endBefore = this.#end ?? this.#endBefore
    this.#end = ttl
    this.#endReason = answer.kind
    this.#lastAnswering = ttl
    return true
  }

  #gap(): number {
    return this.#round <= 1 ? firstRoundGap : laterRoundGap
  }
}
