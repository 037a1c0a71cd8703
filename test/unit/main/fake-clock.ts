import type { Clock } from '../../../electron/helper/supervisor'

/** Time that moves only when the test says so. */
export class FakeClock implements Clock {
  #timers: { atMs: number; callback: () => void }[] = []

  constructor(private now: number) {}

  nowMs(): number {
    return this.now
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.now + delayMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Lets `ms` pass, with every timer called at its own time. */
  advance(ms: number): void {
    const endMs = this.now + ms
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)
      if (!next) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.now = next.atMs
      next.callback()
    }
    this.now = endMs
  }

  /** Lets promises that can settle without time do so. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
  }
}
