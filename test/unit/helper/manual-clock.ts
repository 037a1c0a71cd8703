import type { Clock } from '../../../electron/helper/supervisor'

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  #timers: { atMs: number; callback: () => void }[] = []

  constructor(private timeMs = 0) {}

  nowMs(): number {
    return this.timeMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.timeMs + delayMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** How many callbacks are waiting. */
  get pending(): number {
    return this.#timers.length
  }

  /** Lets `byMs` pass, calling what falls due in its order. */
  advance(byMs: number): void {
    const endMs = this.timeMs + byMs
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.timeMs = Math.max(this.timeMs, next.atMs)
      next.callback()
    }
    this.timeMs = endMs
  }
}
