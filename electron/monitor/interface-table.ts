/**
 * The captured interfaces with their totals. The helper gives an interface a new id whenever it begins to capture it anew;
 * here all that had the same name are one, so that its totals go on over a hot-plug and over a restart of the helper.
 */
import type { HelperInterface, HelperInterfaceTotals, InterfaceState } from '../shared/helper-messages'
import type { RateWindow, Windowed } from './rate-window'

/**
 * Names and ids kept. Where interfaces come and go all day (containers), those gone for longest are added up under one name, so
 * that the sum over all interfaces stays what was captured.
 */
const maxEntries = 512
const goneName = '(removed)'

export interface InterfaceTotals {
  rxBytes: number
  txBytes: number
  rxPackets: number
  txPackets: number
  received: number
  dropped: number
  ifDropped: number
}

/** One interface as shown: every incarnation of a name. */
export interface InterfaceSum extends InterfaceTotals {
  info: HelperInterface
  rxWindowBytes: number
  txWindowBytes: number
}

function zeroTotals(): InterfaceTotals {
  return { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, received: 0, dropped: 0, ifDropped: 0 }
}

function addTotals(sum: InterfaceTotals, part: InterfaceTotals): void {
  sum.rxBytes += part.rxBytes
  sum.txBytes += part.txBytes
  sum.rxPackets += part.rxPackets
  sum.txPackets += part.txPackets
  sum.received += part.received
  sum.dropped += part.dropped
  sum.ifDropped += part.ifDropped
}

/** What an interface is now; kept by its flows, so that they follow a rename. */
export interface InterfaceRef {
  readonly info: HelperInterface
}

/** One id of one run. */
class Incarnation implements InterfaceRef, Windowed {
  readonly account = null
  readonly totals = zeroTotals()
  rxWindowBytes = 0
  txWindowBytes = 0

  constructor(public info: HelperInterface) {}
}

interface Past {
  info: HelperInterface
  totals: InterfaceTotals
}

export class InterfaceTable {
  #present = new Map<number, Incarnation>()
  readonly #past = new Map<string, Past>()
  #isRunning = false

  constructor(private readonly limit = maxEntries) {}

  beginRun(): void {
    this.endRun()
    this.#isRunning = true
  }

  /** The ids of the run are over; what they counted stays. */
  endRun(): void {
    for (const incarnation of this.#present.values()) this.#remember(incarnation)
    this.#present = new Map()
    this.#isRunning = false
  }

  applyInfo(info: HelperInterface): void {
    const known = this.#present.get(info.id)
    if (known !== undefined) {
      known.info = info
      return
    }
    this.#present.set(info.id, new Incarnation(info))
    if (this.#present.size > this.limit) this.#forgetGone()
  }

  applyTotals(list: readonly HelperInterfaceTotals[], window: RateWindow): void {
    for (const totals of list) {
      const incarnation = this.#present.get(totals.id)
      if (incarnation === undefined) continue
      const before = incarnation.totals
      const rxBytes = totals.rxBytes - before.rxBytes
      const txBytes = totals.txBytes - before.txBytes
      if (rxBytes !== 0 || txBytes !== 0) window.charge(incarnation, rxBytes, txBytes)
      before.rxBytes = totals.rxBytes
      before.txBytes = totals.txBytes
      before.rxPackets = totals.rxPackets
      before.txPackets = totals.txPackets
      before.received = totals.received
      before.dropped = totals.dropped
      before.ifDropped = totals.ifDropped
    }
  }

  /** An interface of the present run. */
  find(id: number): InterfaceRef | null {
    return this.#present.get(id) ?? null
  }

  /** All interfaces by name, those of this run first, in the helper's order. */
  sums(): InterfaceSum[] {
    const sums = new Map<string, InterfaceSum>()
    for (const { info, totals, rxWindowBytes, txWindowBytes } of this.#present.values()) {
      const sum = sums.get(info.name)
      if (sum === undefined) {
        sums.set(info.name, { info, ...totals, rxWindowBytes, txWindowBytes })
        continue
      }
      // The newest incarnation says what the interface is now.
      sum.info = info
      addTotals(sum, totals)
      sum.rxWindowBytes += rxWindowBytes
      sum.txWindowBytes += txWindowBytes
    }
    const absent: InterfaceState = this.#isRunning ? 'gone' : 'down'
    for (const [name, { info, totals }] of this.#past) {
      const sum = sums.get(name)
      if (sum === undefined) {
        sums.set(name, { info: { ...info, state: absent }, ...totals, rxWindowBytes: 0, txWindowBytes: 0 })
      } else addTotals(sum, totals)
    }
    return [...sums.values()]
  }

  #remember(incarnation: Incarnation): void {
    const { name } = incarnation.info
    const isKnown = this.#past.has(name)
    const key = isKnown || this.#past.size < this.limit ? name : goneName
    const past = this.#past.get(key) ?? {
      info: key === name ? incarnation.info : { ...incarnation.info, name: goneName, addresses: [], state: 'gone' },
      totals: zeroTotals(),
    }
    past.info = key === name ? incarnation.info : past.info
    addTotals(past.totals, incarnation.totals)
    this.#past.set(key, past)
  }

  #forgetGone(): void {
    for (const [id, incarnation] of this.#present) {
      if (incarnation.info.state !== 'gone') continue
      this.#remember(incarnation)
      this.#present.delete(id)
      return
    }
  }
}
