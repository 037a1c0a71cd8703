/**
 * Round-trip times summed up as they come, without keeping them: Welford's method for mean and deviation, RFC 3550
 * section 6.4.1 for jitter.
 */
import type { ProbeCounts, RttSummary } from '../../shared/trace'

export class RttStatistics {
  #count = 0
  #lastMs = 0
  #bestMs = Infinity
  #worstMs = 0
  #meanMs = 0
  #squares = 0
  #jitterMs = 0

  add(rttMs: number): void {
    // The first difference exists from the second time on; until then jitter is 0 as RFC 3550 starts it.
    if (this.#count > 0) this.#jitterMs += (Math.abs(rttMs - this.#lastMs) - this.#jitterMs) / 16
    this.#count += 1
    const difference = rttMs - this.#meanMs
    this.#meanMs += difference / this.#count
    this.#squares += difference * (rttMs - this.#meanMs)
    this.#lastMs = rttMs
    this.#bestMs = Math.min(this.#bestMs, rttMs)
    this.#worstMs = Math.max(this.#worstMs, rttMs)
  }

  summary(): RttSummary {
    if (this.#count === 0) {
      return { lastMs: null, bestMs: null, avgMs: null, worstMs: null, deviationMs: null, jitterMs: null }
    }
    return {
      lastMs: this.#lastMs,
      bestMs: this.#bestMs,
      avgMs: this.#meanMs,
      worstMs: this.#worstMs,
      deviationMs: Math.sqrt(this.#squares / this.#count),
      jitterMs: this.#count > 1 ? this.#jitterMs : null,
    }
  }
}

/** sent, received and lost as a trace counts them. A probe that could not be sent is taken back with `unsend`. */
export class ProbeTally {
  #sent = 0
  #received = 0
  #lost = 0

  send(): void {
    this.#sent += 1
  }

  unsend(): void {
    this.#sent -= 1
  }

  receive(): void {
    this.#received += 1
  }

  lose(): void {
    this.#lost += 1
  }

  counts(): ProbeCounts {
    const closed = this.#received + this.#lost
    return {
      sent: this.#sent,
      received: this.#received,
      lost: this.#lost,
      open: this.#sent - closed,
      lossPct: closed === 0 ? 0 : (this.#lost / closed) * 100,
    }
  }
}
