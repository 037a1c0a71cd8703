import type { AddressInfo, HopAddress, Place, TraceHop, TraceView } from '../../../electron/shared/trace'
import { defaultTraceOptions } from '../../../electron/shared/trace'

const unknownRtt = { lastMs: null, bestMs: null, avgMs: null, worstMs: null, deviationMs: null, jitterMs: null }

export const hopAddress = (address: string, flows: number[] = [0]): HopAddress => ({
  ...unknownRtt,
  address,
  received: 1,
  flows,
})

/** A hop whose addresses are met by one flow each, in this order. */
export function traceHop(ttl: number, addresses: string[], change: Partial<TraceHop> = {}): TraceHop {
  return {
    ...unknownRtt,
    ttl,
    sent: 10,
    received: addresses.length === 0 ? 0 : 10,
    lost: 0,
    open: 0,
    lossPct: 0,
    addresses: addresses.map((address, flow) => hopAddress(address, [flow])),
    flows: addresses.map((address, flow) => ({
      ...unknownRtt,
      flow,
      address,
      sent: 1,
      received: 1,
      lost: 0,
      open: 0,
      lossPct: 0,
    })),
    samples: [],
    duplicates: 0,
    late: 0,
    forged: 0,
    mpls: [],
    quoteChanged: [],
    marks: [],
    replyTtl: null,
    isDestination: false,
    ...change,
  }
}

export function located(address: string, city: string, longitude: number, latitude: number, isPlausible = true) {
  const place: Place = { city, region: '', countryCode: '', country: '', longitude, latitude, isPlausible }
  return { address, kind: 'public', name: '', asNumber: null, asName: '', place } satisfies AddressInfo
}

export function traceView(traceKey: number, change: Partial<TraceView> = {}): TraceView {
  return {
    traceKey,
    options: { ...defaultTraceOptions, host: 'host.example' },
    destination: '198.51.100.9',
    state: 'running',
    stopReason: 'none',
    round: 1,
    startedMs: 0,
    hops: [],
    graph: { nodes: [], links: [] },
    events: [],
    sentences: [],
    limits: [],
    failure: null,
    addresses: {},
    connectionRtts: [],
    ...change,
  }
}
