/**
 * Control messages from the helper, checked member by member before anything else sees them. Members that this version
 * does not know are left out; events that it does not know are `null`, since a later minor version may add them.
 */
import * as v from 'valibot'
import { fail, succeed, type Degraded, type Failure, type Outcome } from '../shared/errors'
import type {
  HelperDegraded,
  HelperEnd,
  HelperHello,
  HelperInterface,
  HelperInterfaceEvent,
  HelperOwners,
  HelperProbes,
  HelperTick,
  Link,
  Neighbor,
  Owner,
  Route,
} from '../shared/helper-messages'
import type { ProbeItem } from '../shared/trace'
import type { OpenedTrace } from './helper'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const maxToken = 2147483647
const token = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxToken))
const family = v.picklist([4, 6])

const failure: v.GenericSchema<unknown, Failure> = v.object({ code: v.string(), message: v.string(), fix: v.string() })
const degradedReason: v.GenericSchema<unknown, Degraded> = v.object({
  code: v.string(),
  detail: v.string(),
  fix: v.string(),
})

const hello: v.GenericSchema<unknown, HelperHello> = v.object({
  type: v.literal('hello'),
  protocol: v.object({ major: count, minor: count }),
  helperVersion: v.string(),
  features: v.array(v.string()),
  mode: v.picklist(['live', 'read']),
  privileges: v.object({ netRaw: v.boolean(), sysPtrace: v.boolean(), dacReadSearch: v.boolean() }),
  limits: v.object({
    maxFlows: count,
    maxFrameBytes: count,
    maxControlBytes: count,
    maxInterfaces: count,
    maxOwners: count,
  }),
  bootId: v.string(),
  pid: count,
})

const interfaceMembers = {
  id: count,
  index: count,
  name: v.string(),
  linkType: v.picklist(['ethernet', 'raw', 'linuxSll', 'linuxSll2', 'null', 'loop', 'other']),
  state: v.picklist(['capturing', 'down', 'gone', 'failed']),
  loopback: v.boolean(),
  linkLayerAddress: v.string(),
  mtu: count,
  addresses: v.array(v.object({ address: v.string(), prefixLength: count, scope: v.string() })),
  error: v.exactOptional(failure),
} as const

const helperInterface: v.GenericSchema<unknown, HelperInterface> = v.object(interfaceMembers)
const interfaceEvent: v.GenericSchema<unknown, HelperInterfaceEvent> = v.object({
  type: v.literal('interface'),
  ...interfaceMembers,
})

const owner: v.GenericSchema<unknown, Owner> = v.object({
  ownerId: v.pipe(count, v.minValue(1)),
  pid: count,
  startTimeMs: count,
  parentPid: count,
  name: v.string(),
  exe: v.string(),
  commandLine: v.string(),
  uid: count,
  user: v.string(),
  cgroup: v.string(),
  exited: v.boolean(),
})
const owners: v.GenericSchema<unknown, HelperOwners> = v.object({ type: v.literal('owners'), items: v.array(owner) })

const tick: v.GenericSchema<unknown, HelperTick> = v.object({
  type: v.literal('tick'),
  tick: count,
  timeMs: v.number(),
  interfaces: v.array(
    v.object({
      id: count,
      rxBytes: count,
      txBytes: count,
      rxPackets: count,
      txPackets: count,
      received: count,
      dropped: count,
      ifDropped: count,
      flows: count,
    }),
  ),
  lookup: v.object({ pending: count, overloaded: count }),
})

const degraded: v.GenericSchema<unknown, HelperDegraded> = v.object({
  type: v.literal('degraded'),
  reasons: v.array(degradedReason),
})

const end: v.GenericSchema<unknown, HelperEnd> = v.object({
  type: v.literal('end'),
  reason: v.picklist(['endOfFile', 'damagedFile']),
  packets: count,
  offsetBytes: count,
  message: v.string(),
  fix: v.string(),
})

const probeItem: v.GenericSchema<unknown, ProbeItem> = v.object({
  traceId: count,
  round: count,
  flow: count,
  ttl: count,
  sentUs: v.number(),
  outcome: v.picklist(['reply', 'noReply', 'unsent', 'duplicate', 'late', 'forged']),
  address: v.exactOptional(v.string()),
  rttUs: v.exactOptional(v.number()),
  icmpType: v.exactOptional(count),
  icmpCode: v.exactOptional(count),
  tcpFlags: v.exactOptional(count),
  replyTtl: v.exactOptional(count),
  mtu: v.exactOptional(count),
  mpls: v.exactOptional(v.array(v.object({ label: count, trafficClass: count, bottom: v.boolean(), ttl: count }))),
  quoteChanged: v.exactOptional(v.array(v.string())),
  errorCode: v.exactOptional(v.string()),
  message: v.exactOptional(v.string()),
})
const probes: v.GenericSchema<unknown, HelperProbes> = v.object({
  type: v.literal('probes'),
  items: v.array(probeItem),
})

/** The closing answer of a request, or a part of it. */
export type HelperAnswer =
  | { type: 'reply'; token: number; result: unknown }
  | { type: 'error'; token: number; code: string; message: string; fix: string }
  | { type: 'page'; token: number; items: unknown[] }

/** The helper's last words. */
export interface HelperFatal extends Failure {
  type: 'error'
}

const answers = {
  reply: v.object({ type: v.literal('reply'), token, result: v.unknown() }),
  error: v.object({ type: v.literal('error'), token, code: v.string(), message: v.string(), fix: v.string() }),
  page: v.object({ type: v.literal('page'), token, items: v.array(v.unknown()) }),
} as const
const fatal: v.GenericSchema<unknown, HelperFatal> = v.object({
  type: v.literal('error'),
  code: v.string(),
  message: v.string(),
  fix: v.string(),
})

const events = { hello, interface: interfaceEvent, owners, tick, degraded, end, probes } as const

export type HelperEvent =
  | HelperHello
  | HelperInterfaceEvent
  | HelperOwners
  | HelperTick
  | HelperDegraded
  | HelperEnd
  | HelperProbes
  | HelperFatal
export type ControlMessage = { kind: 'event'; event: HelperEvent } | { kind: 'answer'; answer: HelperAnswer }

const openedTrace: v.GenericSchema<unknown, OpenedTrace> = v.object({
  traceId: count,
  source: v.string(),
  sourcePort: count,
  method: v.picklist(['raw', 'errorQueue', 'pingSocket']),
  limits: v.array(v.string()),
})

const linkAddress = v.object({
  address: v.string(),
  prefixLength: count,
  scope: v.string(),
  flags: v.array(v.string()),
  validS: v.exactOptional(count),
  preferredS: v.exactOptional(count),
})

/** What the `result` of a reply and the `items` of a page hold, per request. */
export const results = {
  start: v.object({ interfaces: v.array(helperInterface) }),
  snapshot: v.object({ tick: count }),
  count: v.object({ count }),
  empty: v.object({}),
  traceOpen: openedTrace,
  traceProbes: v.object({ queued: count }),
} as const

export const pageItems: {
  interfaces: v.GenericSchema<unknown, Link[]>
  routes: v.GenericSchema<unknown, Route[]>
  neighbors: v.GenericSchema<unknown, Neighbor[]>
} = {
  interfaces: v.array(
    v.object({
      index: count,
      name: v.string(),
      kind: v.string(),
      flags: v.array(v.string()),
      operState: v.string(),
      linkLayerAddress: v.string(),
      mtu: count,
      master: v.exactOptional(v.string()),
      parent: v.exactOptional(v.string()),
      rxBytes: count,
      txBytes: count,
      rxPackets: count,
      txPackets: count,
      rxErrors: count,
      txErrors: count,
      rxDropped: count,
      txDropped: count,
      addresses: v.array(linkAddress),
    }),
  ),
  routes: v.array(
    v.object({
      family,
      destination: v.string(),
      gateway: v.exactOptional(v.string()),
      interface: v.exactOptional(v.string()),
      source: v.exactOptional(v.string()),
      metric: v.exactOptional(count),
      table: v.string(),
      protocol: v.string(),
      scope: v.string(),
      type: v.string(),
      nextHops: v.exactOptional(v.array(v.object({ gateway: v.string(), interface: v.string(), weight: count }))),
    }),
  ),
  neighbors: v.array(
    v.object({
      family,
      address: v.string(),
      linkLayerAddress: v.string(),
      interface: v.string(),
      nudState: v.string(),
      router: v.boolean(),
    }),
  ),
}

/** Checks `value`; the failure names the member that is wrong. `what` names the message for the sentence. */
export function check<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): Outcome<T> {
  const checked = v.safeParse(schema, value, { abortEarly: true })
  if (checked.success) return succeed(checked.output)
  const [issue] = checked.issues
  const path = v.getDotPath(issue)
  return fail(
    'badMessage',
    `The helper's ${what} cannot be understood${path === null ? '' : ` (${path})`}: ${issue.message}`,
    'Restart the helper; if it happens again, rebuild it, so that both sides are of one version.',
  )
}

function hasKey<Key extends string>(table: Record<Key, unknown>, key: string): key is Key {
  return Object.hasOwn(table, key)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads the payload of a control frame; null for an event that this version does not know. */
export function readControl(payload: Uint8Array): Outcome<ControlMessage | null> {
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(payload))
  } catch {
    return fail('badJson', 'The helper sent a control frame that is not JSON.', 'Restart the helper.')
  }
  const head = check(v.object({ type: v.string(), token: v.exactOptional(v.number()) }), value, 'message')
  if (!head.ok) return head
  const { type } = head.value
  if (head.value.token !== undefined) {
    if (!hasKey(answers, type)) return succeed(null)
    const answer = check<HelperAnswer>(answers[type], value, type)
    return answer.ok ? succeed({ kind: 'answer', answer: answer.value }) : answer
  }
  if (type === 'error') {
    const event = check(fatal, value, 'error')
    return event.ok ? succeed({ kind: 'event', event: event.value }) : event
  }
  if (!hasKey(events, type)) return succeed(null)
  const event = check<HelperEvent>(events[type], value, type)
  return event.ok ? succeed({ kind: 'event', event: event.value }) : event
}
