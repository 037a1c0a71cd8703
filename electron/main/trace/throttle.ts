import type { Clock } from '../../helper/supervisor'

/** Calls `act` at once and then at most every `periodMs`, the last time after the last `ask`. */
export class Throttle {
  #isResting = false
  #isAsked = false
  #cancel = (): void => undefined

  constructor(
    private readonly periodMs: number,
    private readonly clock: Clock,
    private readonly act: () => void,
  ) {}

  ask(): void {
    if (this.#isResting) {
      this.#isAsked = true
      return
    }
    this.#isResting = true
    this.#cancel = this.clock.after(this.periodMs, () => {
      this.#isResting = false
      if (!this.#isAsked) return
      this.#isAsked = false
      this.ask()
    })
    this.act()
  }

  end(): void {
    this.#cancel()
    this.#isAsked = false
    this.#isResting = true
  }
}
