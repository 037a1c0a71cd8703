/**
 * A report that is drawn over itself on a terminal, and printed one after the other elsewhere.
 */
import type { Output } from './output'

const enter = '\u001b[?1049h\u001b[?25l'
const leave = '\u001b[?25h\u001b[?1049l'
const home = '\u001b[H'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

export class Screen {
  #isEntered = false

  constructor(private readonly output: Output) {}

  show(lines: readonly string[]): void {
    if (this.output.terminal === null) {
      this.output.text(`${lines.join('\n')}\n\n`)
      return
    }
    // The terminal's second screen, so that what was on the first is back afterwards.
    const start = this.#isEntered ? home : enter + home
    this.#isEntered = true
    // Drawn over, not cleared first: clearing flickers.
    this.output.text(start + lines.map((line) => line + clearLine).join('\r\n') + clearBelow)
  }

  leave(): void {
    if (this.#isEntered) this.output.text(leave)
    this.#isEntered = false
  }
}
