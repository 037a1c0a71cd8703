/**
 * One trace of the window: its host resolved, its probes sent, its answers joined with what is known of the addresses.
 */
import { traceOpening, type ProbedTrace, type Prober } from '../../helper/prober'
import { joinView } from '../../monitor/trace/trace-view'
import { TraceRun } from '../../monitor/trace/trace-run'
import type { HostAddress } from '../../sources/host-addresses'
import { fail, succeed, type Degraded, type Failure, type Outcome } from '../../shared/errors'
import type { AddressInfo, TraceListItem, TraceOptions, TraceSnapshot, TraceView } from '../../shared/trace'

export interface TraceParts {
  prober: Pick<Prober, 'open'>
  resolve(host: string, family: TraceOptions['family']): Promise<Outcome<HostAddress>>
  /** What is known of addresses now, and what it lacks. */
  book: { info(address: string): AddressInfo; readonly problems: readonly Degraded[] }
  /** RTTs of own connections, oldest first. */
  connectionRtts(destination: string): TraceView['connectionRtts']
  nowMs(): number
}

interface Run {
  run: TraceRun
  snapshot: TraceSnapshot | null
  probed: ProbedTrace | null
  limits: string[]
  /** Why probes could not be sent, `''` while all could. */
  unsent: string
  failure: Failure | null
}

export class TraceSession {
  #current: Run | null = null
  #isClosed = false
  /** Rises with every start: an older one that is still under way notices that it is outdated. */
  #attempt = 0

  constructor(
    readonly traceKey: number,
    readonly options: TraceOptions,
    private readonly parts: TraceParts,
    private readonly changed: () => void,
  ) {}

  /** Resolves the host and begins; also anew, which forgets what was measured. */
  async start(): Promise<Outcome<null>> {
    const attempt = (this.#attempt += 1)
    const { prober, resolve, nowMs } = this.parts
    const { options } = this
    const resolved = await resolve(options.host, options.family)
    if (this.#isOutdated(attempt)) return outdated
    if (!resolved.ok) return resolved
    const { address } = resolved.value
    const run = new TraceRun(options, address, nowMs())
    const next: Run = { run, snapshot: null, probed: null, limits: [], unsent: '', failure: null }
    const probed = await prober.open(traceOpening(options, address, resolved.value.interface), run, {
      changed: () => {
        next.snapshot = null
        this.#releaseWhenDone(next)
        if (this.#current === next) this.changed()
      },
      unsent: (reason) => {
        next.unsent = reason
      },
      failed: (failure) => {
        next.snapshot = null
        next.probed = null
        next.failure = failure
        if (this.#current === next) this.changed()
      },
    })
    if (!probed.ok) return probed
    if (this.#isOutdated(attempt)) {
      probed.value.close()
      return outdated
    }
    if (this.#current !== null) this.#release(this.#current)
    next.probed = probed.value
    next.limits = probed.value.limits
    this.#current = next
    this.changed()
    return succeed(null)
  }

  pause(): void {
    this.#steer((run) => {
      run.pause()
    })
  }

  resume(): void {
    this.#steer((run) => {
      run.resume()
    })
    this.#current?.probed?.wake()
  }

  stop(): void {
    this.#steer((run) => {
      run.stop()
    })
    if (this.#current !== null) this.#releaseWhenDone(this.#current)
  }

  close(): void {
    this.#isClosed = true
    if (this.#current !== null) this.#release(this.#current)
  }

  /** Null until the first start has succeeded. */
  view(): TraceView | null {
    const current = this.#current
    if (current === null) return null
    const { book } = this.parts
    const unsent = current.unsent === '' ? [] : [`Some probes could not be sent: ${current.unsent}`]
    const limits = [...unsent, ...current.limits, ...book.problems.map(({ detail, fix }) => `${detail} ${fix}`.trim())]
    return joinView(
      {
        traceKey: this.traceKey,
        limits,
        failure: current.failure,
        connectionRtts: this.parts.connectionRtts(current.run.destination),
      },
      this.#snapshot(current),
      (address) => book.info(address),
    )
  }

  /** Null until the first start has succeeded. */
  listItem(): TraceListItem | null {
    const current = this.#current
    if (current === null) return null
    const { destination, state, stopReason, hops } = this.#snapshot(current)
    const last = stopReason === 'destination' ? hops.findLast((hop) => hop.isDestination) : undefined
    return {
      traceKey: this.traceKey,
      host: this.options.host,
      destination,
      protocol: this.options.protocol,
      state,
      avgMs: last?.avgMs ?? null,
      lossPct: last?.lossPct ?? 0,
    }
  }

  /** The address that is probed, null when none is (any more). */
  get probedDestination(): string | null {
    const current = this.#current
    return current !== null && current.probed !== null ? current.run.destination : null
  }

  shows(address: string): boolean {
    const current = this.#current
    if (current === null) return false
    if (current.run.destination === address) return true
    return this.#snapshot(current).hops.some((hop) => hop.addresses.some((shown) => shown.address === address))
  }

  #snapshot(current: Run): TraceSnapshot {
    current.snapshot ??= current.run.snapshot()
    return current.snapshot
  }

  #steer(act: (run: TraceRun) => void): void {
    if (this.#current === null) return
    act(this.#current.run)
    this.#current.snapshot = null
    this.changed()
  }

  /** A trace that awaits nothing more counts no longer against the helper's limit. */
  #releaseWhenDone(run: Run): void {
    if (run.run.state === 'finished' && !run.run.hasOpenProbes) this.#release(run)
  }

  #release(run: Run): void {
    run.probed?.close()
    run.probed = null
  }

  #isOutdated(attempt: number): boolean {
    return this.#isClosed || attempt !== this.#attempt
  }
}

const outdated = fail('traceClosed', 'The trace was closed or begun anew meanwhile.')
