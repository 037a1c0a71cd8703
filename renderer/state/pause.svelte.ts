/** Whether the window stands still. Capture and counting go on; only what is drawn stops. */
export class Pause {
  paused = $state(false)
  /** Unix milliseconds, 0 while not paused. */
  sinceMs = $state(0)

  #listeners: (() => void)[] = []

  toggle(): void {
    this.paused = !this.paused
    this.sinceMs = this.paused ? Date.now() : 0
    if (!this.paused) for (const listener of this.#listeners) listener()
  }

  /** For what must catch up at once, not with the next tick. Returns the function that stops listening. */
  onResume(listener: () => void): () => void {
    this.#listeners.push(listener)
    return () => (this.#listeners = this.#listeners.filter((other) => other !== listener))
  }
}

export const pause = new Pause()
