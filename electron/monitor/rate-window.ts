/**
 * Rates: bytes of the last two seconds over the time they took, in whole ticks. Shorter windows make figures flicker, longer
 * ones make them late; with ticks longer than the window it is the last tick.
 *
 * Each tick is a slot that remembers who got how many bytes in it. A slot that leaves the window is taken off again, so
 * the cost follows the flows that changed, and idle ones cost nothing.
 */
import type { Tally } from './tally'

export const rateWindowMs = 2000
/** Ticks come a little early or late; a window this much shorter is still whole. */
const jitterMs = 200

/** Something with a rate: a flow with the account it is charged to, or an interface with none. */
export interface Windowed {
  rxWindowBytes: number
  txWindowBytes: number
  readonly account: Tally | null
}

interface Slot {
  endMs: number
  targets: Windowed[]
  rxBytes: number[]
  txBytes: number[]
}

function add(target: Windowed, rxBytes: number, txBytes: number): void {
  target.rxWindowBytes += rxBytes
  target.txWindowBytes += txBytes
  for (let tally = target.account; tally !== null; tally = tally.parent) {
    tally.rxWindowBytes += rxBytes
    tally.txWindowBytes += txBytes
  }
}

function emptySlot(): Slot {
  return { endMs: 0, targets: [], rxBytes: [], txBytes: [] }
}

export class RateWindow {
  /** Oldest first; the last one is the tick under way. */
  #slots: Slot[] = [emptySlot()]
  /** When the oldest slot began; null before anything is known. */
  #beginMs: number | null = null
  #spanMs = 0

  /** Sets the time from which on bytes are counted, unless it is known already. */
  begin(nowMs: number): void {
    this.#beginMs ??= nowMs
  }

  /** Counts bytes in the tick under way. */
  charge(target: Windowed, rxBytes: number, txBytes: number): void {
    const slot = this.#slots[this.#slots.length - 1]
    if (slot === undefined) return
    slot.targets.push(target)
    slot.rxBytes.push(rxBytes)
    slot.txBytes.push(txBytes)
    add(target, rxBytes, txBytes)
  }

  /** Ends the tick under way. A clock that was set back makes the window begin anew; no time passed, no tick. */
  closeTick(nowMs: number): void {
    const slot = this.#slots[this.#slots.length - 1]
    if (slot === undefined) return
    const lastMs = this.#slots[this.#slots.length - 2]?.endMs ?? this.#beginMs
    if (lastMs === nowMs) return
    if (lastMs !== null && nowMs < lastMs) {
      this.reset()
      this.#beginMs = nowMs
      return
    }
    slot.endMs = nowMs
    for (;;) {
      const [oldest] = this.#slots
      if (oldest === undefined || this.#slots.length < 2 || nowMs - oldest.endMs < rateWindowMs - jitterMs) break
      this.#beginMs = oldest.endMs
      this.#takeOff(oldest)
      this.#slots.shift()
    }
    this.#spanMs = nowMs - (this.#beginMs ?? nowMs)
    this.#beginMs ??= nowMs
    this.#slots.push(emptySlot())
  }

  /** Forgets the window: everybody's rate is zero until the next tick. */
  reset(): void {
    for (const slot of this.#slots) this.#takeOff(slot)
    this.#slots = [emptySlot()]
    this.#beginMs = null
    this.#spanMs = 0
  }

  /** Bytes per second of bytes in the window. */
  rate(windowBytes: number): number {
    return this.#spanMs > 0 ? (windowBytes * 1000) / this.#spanMs : 0
  }

  #takeOff(slot: Slot): void {
    for (let index = 0; index < slot.targets.length; index += 1) {
      const target = slot.targets[index]
      if (target !== undefined) add(target, -(slot.rxBytes[index] ?? 0), -(slot.txBytes[index] ?? 0))
    }
  }
}
