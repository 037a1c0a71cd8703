/** A network that answers probes as real ones do, for traces under injected time. */
import type { ProbeItem } from '../../../../electron/shared/trace'
import type { ProbeOrder, TraceRun } from '../../../../electron/monitor/trace/trace-run'

export interface SimulatedHop {
  /** Per flow modulo their number: the branches of an ECMP diamond. Empty: silent. */
  addresses: string[]
  rttMs: number
  /** Answers every nth probe only. */
  answersEvery?: number
  /** ICMP type and code in place of time exceeded. */
  icmp?: readonly [type: number, code: number]
}

/** Hops in order; the last is the destination and answers every ttl from its own on. */
export class SimulatedNetwork {
  #asked = new Map<number, number>()

  constructor(
    public hops: SimulatedHop[],
    private readonly destination: string,
  ) {}

  /** The items of an order, in the order in which they would arrive. */
  answer(order: ProbeOrder, nowMs: number): ProbeItem[] {
    return order.probes
      .map((probe): ProbeItem => {
        const index = Math.min(probe.ttl, this.hops.length) - 1
        const hop = this.hops[index]
        const base = { traceId: 1, round: order.round, flow: probe.flow, ttl: probe.ttl, sentUs: nowMs * 1000 }
        const asked = (this.#asked.get(probe.ttl) ?? 0) + 1
        this.#asked.set(probe.ttl, asked)
        const address = hop?.addresses[probe.flow % Math.max(1, hop.addresses.length)]
        if (hop === undefined || address === undefined || asked % (hop.answersEvery ?? 1) !== 0) {
          return { ...base, outcome: 'noReply' }
        }
        const [icmpType, icmpCode] = hop.icmp ?? (address === this.destination ? [0, 0] : [11, 0])
        return {
          ...base,
          outcome: 'reply',
          address,
          rttUs: hop.rttMs * 1000,
          icmpType,
          icmpCode,
          replyTtl: 64 - probe.ttl,
        }
      })
      .sort((a, b) => (a.rttUs ?? Infinity) - (b.rttUs ?? Infinity))
  }
}

/** Runs a trace over a network for `rounds` rounds of one second, answers coming one at a time. */
export function runRounds(run: TraceRun, network: SimulatedNetwork, rounds: number, startMs = 0): number {
  let nowMs = startMs
  for (let round = 0; round < rounds; round += 1) {
    for (let order = run.nextProbes(nowMs); order !== null; order = run.nextProbes(nowMs)) {
      for (const item of network.answer(order, nowMs)) run.apply([item], nowMs)
    }
    nowMs += 1000
  }
  return nowMs
}
