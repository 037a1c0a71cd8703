/**
 * Round-trip times of the user's own TCP connections to the destinations of traces, as the kernel keeps them.
 */
import type { Helper } from '../../helper/helper'
import type { Clock } from '../../helper/supervisor'
import type { TraceView } from '../../shared/trace'

type Rtt = TraceView['connectionRtts'][number]

/** The list of sockets costs the helper some milliseconds on a busy machine. */
const periodMs = 2000

/** A quarter of an hour; oldest go first. */
const keptRtts = 450

export interface ConnectionRttsOptions {
  helper(): Helper | null
  clock: Clock
  /** The destinations that are traced now; nothing is asked while there are none. */
  destinations(): ReadonlySet<string>
  /** A destination has a new time. */
  changed(destination: string): void
}

export class ConnectionRtts {
  readonly #rtts = new Map<string, Rtt[]>()
  #isRunning = false

  constructor(private readonly options: ConnectionRttsOptions) {}

  /** Oldest first; empty when there is no connection of ours. */
  of(destination: string): Rtt[] {
    return [...(this.#rtts.get(destination) ?? [])]
  }

  /** To be called when a trace begins: asks from now on until none is left. */
  watch(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#round()
  }

  async #round(): Promise<void> {
    const { clock, destinations, changed } = this.options
    const wanted = destinations()
    for (const known of this.#rtts.keys()) if (!wanted.has(known)) this.#rtts.delete(known)
    if (wanted.size === 0) {
      this.#isRunning = false
      return
    }
    const sockets = await this.options.helper()?.sockets()
    if (sockets?.ok) {
      // Of several connections the fastest: the others wait for more than the path.
      const fastestUs = new Map<string, number>()
      for (const { remoteAddress, rttUs } of sockets.value) {
        if (rttUs === 0) continue
        const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '')
        if (wanted.has(address)) fastestUs.set(address, Math.min(rttUs, fastestUs.get(address) ?? Infinity))
      }
      for (const [address, rttUs] of fastestUs) {
        this.#add(address, { timeMs: clock.nowMs(), rttMs: rttUs / 1000 })
        changed(address)
      }
    }
    clock.after(periodMs, () => void this.#round())
  }

  #add(address: string, rtt: Rtt): void {
    const rtts = this.#rtts.get(address)
    if (rtts === undefined) this.#rtts.set(address, [rtt])
    else {
      rtts.push(rtt)
      if (rtts.length > keptRtts) rtts.shift()
    }
  }
}
