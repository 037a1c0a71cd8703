/**
 * Ties traces to the helper that is running: sends what each trace's plan asks for, hands it every item that comes back,
 * and asks again when a round is due. Knows nothing about paths; the plan does.
 */
import { fail, succeed, type Failure, type Outcome } from '../shared/errors'
import type { ProbeItem, TraceOptions } from '../shared/trace'
import { maxProbesPerOrder, type Helper, type OpenedTrace, type ProbeOrder, type TraceOpening } from './helper'
import type { Clock } from './supervisor'

/** What decides about a trace's probes (the monitor's TraceRun). */
export interface ProbePlan {
  nextProbes(nowMs: number): ProbeOrder | null
  apply(items: readonly ProbeItem[], nowMs: number): void
  nextRoundMs(): number | null
  /** The probes on the way will never be answered. */
  fail(): void
}

export interface ProbeListener {
  /** The plan has taken items or begun a round. */
  changed(): void
  /** Probes that the kernel refused to send, with its reason; those are not counted as lost. */
  unsent(reason: string): void
  /** The trace cannot go on; the plan knows it already. */
  failed(failure: Failure): void
}

/** A trace that the helper has opened. */
export interface ProbedTrace extends OpenedTrace {
  /** Asks the plan again: to be called after it was resumed. */
  wake(): void
  /** Ends it in the helper. Nothing of it is told any more. */
  close(): void
}

/** What a later start mends and nothing else. */
const lost: Failure = {
  code: 'helperGone',
  message: 'The helper that sent the probes has ended.',
  fix: 'Start the trace again.',
}

/** Orders that wait for their answer at once; the helper takes 16 requests, and others want to ask too. */
const maxOpenOrders = 4

/** What the helper has to know of a trace to `destination`. `zone`: the interface that a link-local address names. */
export function traceOpening(options: TraceOptions, destination: string, zone: string): TraceOpening {
  const { protocol, port, sourcePort, stepPort, packetBytes, tos } = options
  return {
    destination,
    protocol,
    source: options.sourceAddress,
    interface: options.interface || zone,
    port,
    sourcePort,
    stepPort,
    packetBytes,
    tos,
  }
}

interface Trace {
  helper: Helper
  opened: OpenedTrace
  plan: ProbePlan
  listener: ProbeListener
  cancelRound: () => void
}

export class Prober {
  readonly #traces = new Map<number, Trace>()
  readonly #waiting: { trace: Trace; order: ProbeOrder }[] = []
  #openOrders = 0

  /** @param helper gives the helper that is running, null while there is none. */
  constructor(
    private readonly helper: () => Helper | null,
    private readonly clock: Clock,
  ) {}

  /** Opens a trace and begins its first round. */
  async open(opening: TraceOpening, plan: ProbePlan, listener: ProbeListener): Promise<Outcome<ProbedTrace>> {
    const helper = this.helper()
    if (helper === null) {
      return fail('helperNotRunning', 'The helper, which sends the probes, is not running.', 'Restart the helper.')
    }
    if (!helper.hello.features.includes('trace')) {
      return fail(
        'traceUnsupported',
        `The helper (${helper.hello.helperVersion}) cannot send probes.`,
        'Install or build the helper that belongs to this version.',
      )
    }
    const opened = await helper.traceOpen(opening)
    if (!opened.ok) return opened
    if (this.helper() !== helper) return { ok: false, failure: lost }
    const trace: Trace = { helper, opened: opened.value, plan, listener, cancelRound: () => undefined }
    const { traceId } = opened.value
    this.#traces.set(traceId, trace)
    this.#pump(trace)
    return succeed({
      ...opened.value,
      wake: () => {
        this.#pump(trace)
      },
      close: () => {
        if (this.#traces.get(traceId) !== trace) return
        this.#forget(trace)
        void helper.traceClose(traceId)
      },
    })
  }

  /** Takes a `probes` message of the helper that is running. */
  take(items: readonly ProbeItem[]): void {
    const byTrace = new Map<Trace, ProbeItem[]>()
    for (const item of items) {
      const trace = this.#traces.get(item.traceId)
      if (trace === undefined) continue
      const own = byTrace.get(trace)
      if (own === undefined) byTrace.set(trace, [item])
      else own.push(item)
    }
    for (const [trace, own] of byTrace) {
      const refused = own.findLast(({ outcome, message }) => outcome === 'unsent' && message !== undefined)
      if (refused?.message !== undefined) trace.listener.unsent(refused.message)
      trace.plan.apply(own, this.clock.nowMs())
      this.#pump(trace)
      trace.listener.changed()
    }
  }

  /** The helper has ended, and every trace with it. */
  helperLost(): void {
    for (const trace of [...this.#traces.values()]) this.#fail(trace, lost)
  }

  #pump(trace: Trace): void {
    if (!this.#isOpen(trace)) return
    const order = trace.plan.nextProbes(this.clock.nowMs())
    if (order !== null) {
      for (let at = 0; at < order.probes.length; at += maxProbesPerOrder) {
        this.#waiting.push({ trace, order: { ...order, probes: order.probes.slice(at, at + maxProbesPerOrder) } })
      }
      this.#sendWaiting()
    }
    trace.cancelRound()
    const dueMs = trace.plan.nextRoundMs()
    if (dueMs === null) return
    trace.cancelRound = this.clock.after(Math.max(0, dueMs - this.clock.nowMs()), () => {
      this.#pump(trace)
      trace.listener.changed()
    })
  }

  #sendWaiting(): void {
    while (this.#openOrders < maxOpenOrders) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      if (this.#isOpen(next.trace)) void this.#send(next.trace, next.order)
    }
  }

  async #send(trace: Trace, order: ProbeOrder): Promise<void> {
    this.#openOrders += 1
    const queued = await trace.helper.traceProbes(trace.opened.traceId, order)
    this.#openOrders -= 1
    if (!queued.ok && this.#isOpen(trace)) {
      void trace.helper.traceClose(trace.opened.traceId)
      this.#fail(trace, queued.failure)
    }
    this.#sendWaiting()
  }

  #isOpen(trace: Trace): boolean {
    return this.#traces.get(trace.opened.traceId) === trace
  }

  #fail(trace: Trace, failure: Failure): void {
    this.#forget(trace)
    trace.plan.fail()
    trace.listener.failed(failure)
  }

  #forget(trace: Trace): void {
    trace.cancelRound()
    this.#traces.delete(trace.opened.traceId)
  }
}
