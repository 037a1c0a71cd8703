/**
 * The scripted helper's side of traces: a made-up Internet that answers probes as real routers do, late ones and silent
 * ones included. Which way a probe goes depends on its flow alone, as behind a load balancer.
 */
import { fail, succeed, type Outcome } from '../shared/errors'
import type { ProbeItem } from '../shared/trace'
import type { OpenedTrace, ProbeOrder, TraceOpening } from './helper'
import { scriptedPath, type ScriptedHop } from './scripted-paths'
import type { Clock } from './supervisor'

const maxTraces = 32

interface OpenScript {
  opening: TraceOpening
  hops: ScriptedHop[]
}

export class ScriptedProber {
  readonly #open = new Map<number, OpenScript>()
  #lastTraceId = 0

  /** @param random gives numbers from 0 to below 1. */
  constructor(
    private readonly clock: Clock,
    private readonly random: () => number,
    private readonly send: (items: ProbeItem[]) => void,
  ) {}

  open(opening: TraceOpening): Outcome<OpenedTrace> {
    if (/^(22[4-9]|23\d|255)\.|^ff/i.test(opening.destination)) {
      return fail('refusedDestination', `${opening.destination} stands for many hosts at once.`, 'Trace a single host.')
    }
    if (this.#open.size >= maxTraces) {
      return fail('tooManyTraces', `${maxTraces} traces are open already.`, 'Close one of them.')
    }
    this.#lastTraceId += 1
    this.#open.set(this.#lastTraceId, { opening, hops: scriptedPath(opening.destination) })
    const source = opening.destination.includes(':') ? '2001:db8:40::17' : '192.0.2.23'
    return succeed({
      traceId: this.#lastTraceId,
      source: opening.source || source,
      sourcePort: opening.sourcePort || 54_321,
      method: 'raw',
      limits: [],
    })
  }

  probe(traceId: number, order: ProbeOrder): Outcome<number> {
    const script = this.#open.get(traceId)
    if (script === undefined) return fail('noSuchTrace', `There is no trace ${traceId}.`)
    const sentUs = this.clock.nowMs() * 1000
    for (const { ttl, flow } of order.probes) {
      const item = { traceId, round: order.round, flow, ttl, sentUs }
      const answer = this.#answer(script, ttl, flow)
      const rttMs = (answer.rttUs ?? Infinity) / 1000
      const isLate = rttMs > order.waitMs
      this.clock.after(isLate ? order.waitMs : rttMs, () => {
        if (!this.#open.has(traceId)) return
        this.send([isLate ? { ...item, outcome: 'noReply' } : { ...item, outcome: 'reply', ...answer }])
      })
    }
    return succeed(order.probes.length)
  }

  close(traceId: number): Outcome<null> {
    return this.#open.delete(traceId) ? succeed(null) : fail('noSuchTrace', `There is no trace ${traceId}.`)
  }

  closeAll(): void {
    this.#open.clear()
  }

  /** Empty: the hop stays silent. */
  #answer({ opening, hops }: OpenScript, ttl: number, flow: number): Partial<ProbeItem> {
    const isEnd = ttl >= hops.length
    const hop = hops[Math.min(ttl, hops.length) - 1]
    const address = hop?.addresses[flow % Math.max(1, hop.addresses.length)]
    if (hop === undefined || address === undefined || this.random() < hop.lossPct / 100) return {}
    // Queues add to the shortest time, seldom much.
    const queueMs = hop.rttMs * 0.06 * this.random() + (this.random() < 0.04 ? 18 * this.random() : 0)
    const answer = {
      address,
      rttUs: Math.round((hop.rttMs + queueMs) * 1000),
      replyTtl: (isEnd ? 64 : 255) - ttl + 1,
      ...(hop.mpls === undefined ? {} : { mpls: hop.mpls }),
    }
    const isV6 = opening.destination.includes(':')
    if (!isEnd) return { ...answer, icmpType: isV6 ? 3 : 11, icmpCode: 0 }
    if (opening.protocol === 'tcp') return { ...answer, tcpFlags: 0x12 }
    if (opening.protocol === 'icmp') return { ...answer, icmpType: isV6 ? 129 : 0, icmpCode: 0 }
    return { ...answer, icmpType: isV6 ? 1 : 3, icmpCode: isV6 ? 4 : 3 }
  }
}
