/**
 * What the numbers of a trace mean, said in plain sentences by fixed rules. The most common mistake with such tables is to
 * read loss at a hop in the middle as a fault of the path: only loss that goes on to the destination is.
 */
import type { TraceHop, TraceSentence, TraceSnapshot } from '../../shared/trace'

type Facts = Omit<TraceSnapshot, 'sentences'>
type Rule = (facts: Facts) => TraceSentence[]

/** Fewer closed probes than this say nothing about loss. */
const enoughProbes = 10

/** Loss below this is chance at the numbers of probes that a person waits for. */
const noticeableLossPct = 2

/** A hop whose loss is within this of the destination's is taken to show the same loss. */
const sameLossPct = 5

/** Silent hops at the end that are worth a word. */
const silentEnd = 3

const closed = (hop: TraceHop): number => hop.received + hop.lost
const answering = (hop: TraceHop): boolean => hop.received > 0
const pct = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} %`
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`

function hopList(ttls: number[]): string {
  if (ttls.length === 1) return `Hop ${ttls[0]}`
  return `Hops ${ttls.slice(0, -1).join(', ')} and ${ttls.at(-1)}`
}

/** The last hop of a path whose destination answers. */
function destinationHop(facts: Facts): TraceHop | undefined {
  return facts.stopReason === 'destination' ? facts.hops.findLast((hop) => hop.isDestination) : undefined
}

const limitsReplies: Rule = (facts) => {
  const limited = facts.hops.filter((hop, index) => {
    if (closed(hop) < enoughProbes || hop.lossPct < noticeableLossPct || !answering(hop)) return false
    const later = facts.hops.slice(index + 1).filter((next) => answering(next) && closed(next) >= enoughProbes)
    return (
      later.length > 0 && Math.min(...later.map((next) => next.lossPct)) < Math.min(noticeableLossPct, hop.lossPct / 2)
    )
  })
  if (limited.length === 0) return []
  const ttls = limited.map((hop) => hop.ttl)
  const limits = ttls.length === 1 ? 'limits its replies' : 'limit their replies'
  return [
    {
      code: 'hopLimitsReplies',
      severity: 'info',
      ttl: ttls[0] ?? 0,
      text: `${hopList(ttls)} ${limits}; later hops lose nothing, so your traffic is not affected.`,
    },
  ]
}

const lossStays: Rule = (facts) => {
  const last = facts.hops.findLast(answering)
  if (last === undefined || closed(last) < enoughProbes || last.lossPct < noticeableLossPct) return []
  let begins = last
  for (const hop of [...facts.hops].reverse()) {
    if (!answering(hop) || hop.ttl > last.ttl) continue
    if (closed(hop) < enoughProbes || hop.lossPct < Math.max(noticeableLossPct, last.lossPct - sameLossPct)) break
    begins = hop
  }
  const where = begins === last ? `at the last answering hop, ${last.ttl}` : `at hop ${begins.ttl} and stays`
  return [
    {
      code: 'lossBegins',
      severity: last.isDestination ? 'problem' : 'warning',
      ttl: begins.ttl,
      text: `Loss begins ${where}: ${pct(last.lossPct)} of the probes to hop ${last.ttl} get no answer.`,
    },
  ]
}

const destinationSilent: Rule = (facts) => {
  if (facts.stopReason !== 'gap' && facts.stopReason !== 'maxTtl') return []
  const last = facts.hops.findLast(answering)
  const silent = facts.hops.filter((hop) => hop.ttl > (last?.ttl ?? 0)).length
  if (silent < silentEnd) return []
  const protocol = facts.options.protocol.toUpperCase()
  const advice =
    facts.options.protocol === 'tcp'
      ? 'Try another port or ICMP'
      : 'Try TCP with port 443, which firewalls let through more often'
  if (last === undefined) {
    return [
      {
        code: 'nothingAnswers',
        severity: 'warning',
        ttl: 0,
        text: `No hop answers to ${protocol}: something near drops the probes or their answers. ${advice}.`,
      },
    ]
  }
  return [
    {
      code: 'destinationSilent',
      severity: 'warning',
      ttl: last.ttl,
      text: `Nothing answers after hop ${last.ttl}; the destination does not reply to ${protocol}. ${advice}.`,
    },
  ]
}

const silentInTheMiddle: Rule = (facts) => {
  const last = facts.hops.findLast(answering)
  if (last === undefined) return []
  const silent = facts.hops
    .filter((hop) => hop.ttl < last.ttl && hop.received === 0 && hop.lost > 0)
    .map((hop) => hop.ttl)
  if (silent.length === 0) return []
  const verb = silent.length === 1 ? 'does not answer but forwards' : 'do not answer but forward'
  return [
    {
      code: 'hopSilent',
      severity: 'info',
      ttl: silent[0] ?? 0,
      text: `${hopList(silent)} ${verb}; that is common and no fault.`,
    },
  ]
}

const unreachable: Rule = (facts) => {
  if (facts.stopReason !== 'unreachable') return []
  const hop = facts.hops.findLast((candidate) => candidate.marks.length > 0)
  const mark = hop?.marks[0]
  if (hop === undefined || mark === undefined) return []
  const by = hop.addresses[0]?.address ?? 'a router'
  return [
    {
      code: 'unreachable',
      severity: 'problem',
      ttl: hop.ttl,
      text: `${by} at hop ${hop.ttl} refuses: ${mark.words} (${mark.mark}).`,
    },
  ]
}

const natNoticed: Rule = (facts) => {
  const hop = facts.hops.find((candidate) => candidate.quoteChanged.length > 0)
  if (hop === undefined) return []
  return [
    {
      code: 'natNoticed',
      severity: 'info',
      ttl: hop.ttl,
      text: `Before hop ${hop.ttl} a NAT rewrites your packets (${hop.quoteChanged.join(', ')}).`,
    },
  ]
}

const loops: Rule = (facts) => {
  const seenAt = new Map<string, number>()
  for (const hop of facts.hops) {
    const address = hop.addresses[0]?.address
    if (address === undefined || hop.isDestination) continue
    const before = seenAt.get(address)
    if (before !== undefined && hop.ttl - before > 1) {
      return [
        {
          code: 'loop',
          severity: 'problem',
          ttl: before,
          text: `${address} answers at hop ${before} and again at hop ${hop.ttl}: the packets go in a circle.`,
        },
      ]
    }
    seenAt.set(address, hop.ttl)
  }
  return []
}

const branches: Rule = (facts) => {
  const split = facts.hops.find((hop) => hop.addresses.length > 1 && !hop.isDestination)
  if (split === undefined) return []
  const perFlow = split.flows.length > 1 && new Set(split.flows.map((flow) => flow.address)).size > 1
  const why = perFlow ? 'paths differ per flow (load balancing)' : 'more than one router answers there'
  return [{ code: 'branches', severity: 'info', ttl: split.ttl, text: `At hop ${split.ttl} ${why}.` }]
}

const pathChanged: Rule = (facts) => {
  const change = facts.events.findLast((event) => event.kind === 'pathChanged')
  if (change === undefined) return []
  return [
    {
      code: 'pathChanged',
      severity: 'warning',
      ttl: change.ttl,
      text: `The path changed at hop ${change.ttl} in round ${change.round}: ${change.from} became ${change.to}.`,
    },
  ]
}

const allWell: Rule = (facts) => {
  const last = destinationHop(facts)
  if (last === undefined || last.avgMs === null || closed(last) < enoughProbes || last.lossPct >= noticeableLossPct)
    return []
  const loss = last.lost === 0 ? 'no loss' : `${pct(last.lossPct)} loss`
  return [
    {
      code: 'destinationAnswers',
      severity: 'good',
      ttl: last.ttl,
      text: `The destination answers from hop ${last.ttl} in ${ms(last.avgMs)} on average, with ${loss}.`,
    },
  ]
}

/** Most important first. */
const rules: Rule[] = [
  unreachable,
  loops,
  lossStays,
  destinationSilent,
  pathChanged,
  allWell,
  limitsReplies,
  silentInTheMiddle,
  natNoticed,
  branches,
]

/** The sentences that hold for a trace as it stands. */
export function readSentences(facts: Facts): TraceSentence[] {
  return rules.flatMap((rule) => rule(facts))
}

/** Compares the round-trip time of the user's own connection with that of the path. */
export function compareConnectionRtt(snapshot: TraceSnapshot, connectionRttMs: number): TraceSentence | null {
  const path = destinationHop(snapshot)
  if (path === undefined || path.avgMs === null) return null
  const difference = connectionRttMs - path.avgMs
  const isClose = Math.abs(difference) <= Math.max(5, path.avgMs * 0.25)
  const reading = isClose
    ? 'the path explains it all'
    : difference > 0
      ? 'the rest is spent at the far end or in queues that probes do not meet'
      : 'the probes are answered later than your packets, which routers often do'
  return {
    code: 'connectionRtt',
    severity: 'info',
    ttl: path.ttl,
    text: `Your own connection’s RTT is ${ms(connectionRttMs)}, the path’s is ${ms(path.avgMs)}: ${reading}.`,
  }
}
