/** Whether the window stands still. Capture and counting go on; only what is drawn stops. */
class Pause {
  paused = $state(false)
  /** Unix milliseconds, 0 while not paused. */
  sinceMs = $state(0)

  toggle(): void {
    this.paused = !this.paused
    this.sinceMs = this.paused ? Date.now() : 0
  }
}

export const pause = new Pause()
