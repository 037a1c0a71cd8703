/**
 * Every trace that the window has open.
 */
import type { Helper } from '../../helper/helper'
import type { Clock } from '../../helper/supervisor'
import { fail, succeed, type Outcome } from '../../shared/errors'
import type { ActionResult, TraceAction } from '../../shared/ipc-schema'
import { checkTraceOptions, type TraceListItem, type TraceOptions, type TraceView } from '../../shared/trace'
import { ConnectionRtts } from './connection-rtts'
import { Throttle } from './throttle'
import { TraceSession, type TraceParts } from './trace-session'

export interface TraceSessionsOptions extends Omit<TraceParts, 'nowMs' | 'connectionRtts'> {
  helper(): Helper | null
  clock: Clock
  /** At most every `viewPeriodMs` per trace. */
  onTrace(traceKey: number): void
  /** At most every `listPeriodMs`. */
  onList(): void
}

const viewPeriodMs = 200
const listPeriodMs = 500

/** Sub-tabs that a person can tell apart; the helper takes 32 at once, finished ones cost it nothing. */
const maxSessions = 64

interface Entry {
  session: TraceSession
  view: Throttle
}

export class TraceSessions {
  /** In the order of their start. */
  readonly #open = new Map<number, Entry>()
  readonly #list: Throttle
  readonly #connectionRtts: ConnectionRtts
  #lastKey = 0

  constructor(private readonly options: TraceSessionsOptions) {
    this.#list = new Throttle(listPeriodMs, options.clock, options.onList)
    this.#connectionRtts = new ConnectionRtts({
      helper: options.helper,
      clock: options.clock,
      destinations: () => new Set([...this.#open.values()].flatMap(({ session }) => session.probedDestination ?? [])),
      changed: (destination) => {
        this.addressChanged(destination)
      },
    })
  }

  /** Begins a trace; gives its key. */
  async start(options: TraceOptions): Promise<Outcome<number>> {
    const checked = checkTraceOptions(options)
    if (!checked.ok) return checked
    if (this.#open.size >= maxSessions) {
      return fail('tooManyTraces', `${maxSessions} traces are open already.`, 'Close one of them.')
    }
    const traceKey = (this.#lastKey += 1)
    const { prober, resolve, book, clock, onTrace } = this.options
    const view = new Throttle(viewPeriodMs, clock, () => {
      onTrace(traceKey)
    })
    const parts = {
      prober,
      resolve,
      book,
      connectionRtts: (destination: string) => this.#connectionRtts.of(destination),
      nowMs: () => clock.nowMs(),
    }
    const session = new TraceSession(traceKey, { ...options, host: options.host.trim() }, parts, () => {
      view.ask()
      this.#list.ask()
    })
    this.#open.set(traceKey, { session, view })
    const started = await session.start()
    if (started.ok) {
      this.#connectionRtts.watch()
      return succeed(traceKey)
    }
    this.#forget(traceKey)
    return started
  }

  list(): TraceListItem[] {
    return [...this.#open.values()].flatMap(({ session }) => session.listItem() ?? [])
  }

  view(traceKey: number): TraceView | null {
    return this.#open.get(traceKey)?.session.view() ?? null
  }

  async control(traceKey: number, action: TraceAction): Promise<ActionResult> {
    const session = this.#open.get(traceKey)?.session
    if (session === undefined) return fail('noSuchTrace', 'This trace is closed.')
    if (action === 'restart') {
      const started = await session.start()
      this.#connectionRtts.watch()
      return started.ok ? { ok: true } : started
    }
    if (action === 'close') {
      this.#forget(traceKey)
      this.#list.ask()
    } else session[action]()
    return { ok: true }
  }

  /** Something more is known of an address: whoever shows it is told. */
  addressChanged(address: string): void {
    for (const { session, view } of this.#open.values()) {
      if (session.shows(address)) view.ask()
    }
  }

  #forget(traceKey: number): void {
    const entry = this.#open.get(traceKey)
    entry?.session.close()
    entry?.view.end()
    this.#open.delete(traceKey)
  }
}
