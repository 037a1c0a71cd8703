/**
 * One trace: which probes to send next, and what came of the ones before. Pure; whoever owns it sends what `nextProbes` gives,
 * hands every item of the helper to `apply`, and reads `snapshot`.
 */
import type {
  ProbeItem,
  ProbeRequest,
  TraceEvent,
  TraceOptions,
  TraceRunState,
  TraceSnapshot,
  TraceStopReason,
} from '../../shared/trace'
import type { Answer } from './answers'
import { readAnswer } from './answers'
import { FlowPath } from './flow-path'
import { Hop } from './hop'
import { PathChanges } from './path-changes'
import { PathGraphBuilder } from './path-graph'
import { readSentences } from './sentences'

/** Oldest events go first; the table of hops still has the whole truth. */
const keptEvents = 200

/** Rounds whose answers are still awaited; the oldest is closed for the graph when one more begins. Its late items still count. */
const maxOpenRounds = 64

export interface ProbeOrder {
  round: number
  waitMs: number
  probes: ProbeRequest[]
}

/** A round of one flow that is still under way. */
interface OpenPath {
  round: number
  flow: number
  open: number
  addresses: Map<number, string>
}

export class TraceRun {
  readonly #hops = new Map<number, Hop>()
  readonly #paths: FlowPath[]
  readonly #graph = new PathGraphBuilder()
  readonly #changes = new PathChanges()
  readonly #events: TraceEvent[] = []
  /** Probes on the way, by round, flow and ttl. Whatever answers something else is never credited. */
  readonly #openProbes = new Map<string, number>()
  readonly #openPaths = new Map<string, OpenPath>()
  #state: TraceRunState = 'running'
  #round = 0
  #roundStartedMs = 0
  #reachedBefore = false

  /** `destination` is the address that the host stands for, as the helper writes addresses (RFC 5952). */
  constructor(
    readonly options: TraceOptions,
    readonly destination: string,
    private readonly startedMs: number,
  ) {
    this.#paths = Array.from(
      { length: options.flows },
      (_, flow) => new FlowPath(flow, options.firstTtl, options.maxTtl),
    )
  }

  get state(): TraceRunState {
    return this.#state
  }

  /** Probes are on the way; after `stop` they may still be. */
  get hasOpenProbes(): boolean {
    return this.#openProbes.size > 0
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'running'
  }

  /** No further rounds; what is on the way still counts. */
  stop(): void {
    this.#state = 'finished'
  }

  /** The helper has gone or refused: what was on the way will never be answered, and is not counted as lost. */
  fail(): void {
    this.#state = 'failed'
    for (const [key, count] of this.#openProbes) {
      const [, flow = 0, ttl = 0] = key.split(':').map(Number)
      for (let index = 0; index < count; index += 1) this.#hops.get(ttl)?.unsent(flow)
    }
    this.#openProbes.clear()
    this.#openPaths.clear()
  }

  /** The time at which a new round is due, null when none will be. */
  nextRoundMs(): number | null {
    if (this.#state !== 'running' || this.#isLastRound()) return null
    return this.#round === 0 ? this.startedMs : this.#roundStartedMs + this.options.intervalMs
  }

  /** What to send now; null when there is nothing. To be asked after every `apply` and when `nextRoundMs` has come. */
  nextProbes(nowMs: number): ProbeOrder | null {
    if (this.#state !== 'running') return null
    const dueMs = this.nextRoundMs()
    const isDue = dueMs !== null && nowMs >= dueMs
    if (isDue) {
      this.#round += 1
      this.#roundStartedMs = nowMs
      this.#closeOldRounds()
    }
    if (this.#round === 0) return null
    const probes = this.#paths.flatMap((path) =>
      (isDue ? path.beginRound(this.#round) : path.extend(!this.#openPaths.has(`${this.#round}:${path.flow}`))).flatMap(
        (ttl) => Array.from({ length: this.options.probesPerHop }, () => ({ ttl, flow: path.flow })),
      ),
    )
    // Near hops first over all flows, so that the path grows from here on the screen.
    probes.sort((a, b) => a.ttl - b.ttl || a.flow - b.flow)
    for (const probe of probes) this.#noteSent(probe)
    return probes.length === 0 ? null : { round: this.#round, waitMs: this.options.waitMs, probes }
  }

  apply(items: readonly ProbeItem[], nowMs: number): void {
    for (const item of items) this.#applyOne(item, nowMs)
    if (this.#state === 'running' && this.#isLastRound() && this.#openProbes.size === 0 && !this.#hasMoreToPlan()) {
      this.#state = 'finished'
    }
  }

  snapshot(): TraceSnapshot {
    const shownUpTo = Math.max(0, ...this.#paths.map((path) => path.shownUpTo))
    const hops = [...this.#hops.values()]
      .filter((hop) => hop.ttl <= shownUpTo)
      .sort((a, b) => a.ttl - b.ttl)
      .map((hop) => hop.view())
    const facts = {
      options: this.options,
      destination: this.destination,
      state: this.#state,
      stopReason: this.#stopReason(),
      round: this.#round,
      startedMs: this.startedMs,
      hops,
      graph: this.#graph.graph(),
      events: [...this.#events],
    }
    return { ...facts, sentences: readSentences(facts) }
  }

  #applyOne(item: ProbeItem, nowMs: number): void {
    const hop = this.#hops.get(item.ttl)
    if (hop === undefined) return
    if (item.outcome === 'duplicate' || item.outcome === 'late' || item.outcome === 'forged') {
      hop.extra(item.outcome)
      return
    }
    if (!this.#close(item)) return
    if (item.outcome === 'unsent') hop.unsent(item.flow)
    else if (item.outcome === 'noReply') hop.lost(item)
    else {
      const answer = readAnswer(item, this.destination)
      hop.replied(item, answer)
      this.#noteAnswer(item, answer, nowMs)
    }
    this.#closePath(item, nowMs)
  }

  #noteSent(probe: ProbeRequest): void {
    let hop = this.#hops.get(probe.ttl)
    if (hop === undefined) {
      hop = new Hop(probe.ttl)
      this.#hops.set(probe.ttl, hop)
    }
    hop.sent(probe.flow)
    const key = `${this.#round}:${probe.flow}:${probe.ttl}`
    this.#openProbes.set(key, (this.#openProbes.get(key) ?? 0) + 1)
    const pathKey = `${this.#round}:${probe.flow}`
    const path = this.#openPaths.get(pathKey) ?? {
      round: this.#round,
      flow: probe.flow,
      open: 0,
      addresses: new Map<number, string>(),
    }
    path.open += 1
    if (!path.addresses.has(probe.ttl)) path.addresses.set(probe.ttl, '')
    this.#openPaths.set(pathKey, path)
  }

  /** False for an item that answers no open probe. */
  #close(item: ProbeItem): boolean {
    const key = `${item.round}:${item.flow}:${item.ttl}`
    const open = this.#openProbes.get(key)
    if (open === undefined) return false
    if (open === 1) this.#openProbes.delete(key)
    else this.#openProbes.set(key, open - 1)
    return true
  }

  #noteAnswer(item: ProbeItem, answer: Answer, nowMs: number): void {
    this.#openPaths.get(`${item.round}:${item.flow}`)?.addresses.set(item.ttl, item.address ?? '')
    const path = this.#paths[item.flow]
    if (path === undefined) return
    if (!path.answered(item.ttl, answer)) return
    if (path.end === null) {
      this.#addEvent({
        kind: 'destinationLost',
        timeMs: nowMs,
        round: item.round,
        ttl: item.ttl,
        from: this.destination,
        to: item.address ?? '',
      })
    } else if (!this.#reachedBefore && answer.kind === 'destination') {
      this.#reachedBefore = true
      this.#addEvent({
        kind: 'reached',
        timeMs: nowMs,
        round: item.round,
        ttl: path.end,
        from: '',
        to: item.address ?? '',
      })
    } else if (path.endBefore !== null && path.endBefore !== path.end && item.round > 1) {
      this.#addEvent({
        kind: 'pathLengthChanged',
        timeMs: nowMs,
        round: item.round,
        ttl: path.end,
        from: String(path.endBefore),
        to: String(path.end),
      })
    }
  }

  #closePath(item: ProbeItem, nowMs: number): void {
    const key = `${item.round}:${item.flow}`
    const path = this.#openPaths.get(key)
    if (path === undefined) return
    path.open -= 1
    if (path.open === 0) this.#finishPath(key, path, nowMs)
  }

  #finishPath(key: string, path: OpenPath, nowMs: number): void {
    this.#openPaths.delete(key)
    const end = this.#paths[path.flow]?.end ?? Infinity
    const addresses = new Map([...path.addresses].filter(([ttl]) => ttl <= end))
    this.#graph.addPath(path.flow, addresses)
    for (const change of this.#changes.note(path.flow, addresses)) {
      this.#addEvent({ kind: 'pathChanged', timeMs: nowMs, round: path.round, ...change })
    }
  }

  #closeOldRounds(): void {
    for (const [key, path] of this.#openPaths) {
      if (path.round <= this.#round - maxOpenRounds) this.#finishPath(key, path, this.#roundStartedMs)
    }
  }

  #addEvent(event: TraceEvent): void {
    this.#events.push(event)
    if (this.#events.length > keptEvents) this.#events.shift()
  }

  #isLastRound(): boolean {
    return this.options.rounds !== 0 && this.#round >= this.options.rounds
  }

  #hasMoreToPlan(): boolean {
    return this.#paths.some((path) => path.stopReason === 'none')
  }

  #stopReason(): TraceStopReason {
    const reasons = this.#paths.map((path) => path.stopReason)
    for (const reason of ['none', 'unreachable', 'maxTtl', 'gap'] as const) if (reasons.includes(reason)) return reason
    return 'destination'
  }
}
