/**
 * The routes of the scripted Internet, as data. Addresses of routers are public ones that the database of places knows, so
 * that the map has something to draw; names and times are made up, and no packet goes to any of them.
 */
import type { MplsLabel } from '../shared/trace'

export interface ScriptedHop {
  /** The branches that flows are spread over; none: the hop is silent. */
  addresses: readonly string[]
  /** Shortest round-trip. */
  rttMs: number
  lossPct: number
  mpls?: MplsLabel[]
}

const label = (value: number): MplsLabel[] => [{ label: value, trafficClass: 0, bottom: true, ttl: 1 }]

function hop(addresses: readonly string[], rttMs: number, more: Partial<ScriptedHop> = {}): ScriptedHop {
  return { addresses, rttMs, lossPct: 0, ...more }
}

/** The household's router, its provider's shared address space, and the provider's edge in Frankfurt. */
const home4 = [hop(['192.0.2.1'], 1.1), hop(['100.64.12.1'], 6.2), hop(['62.155.246.86'], 9.4)]
const home6 = [hop(['2001:db8:40::1'], 1.2), hop(['2003:0:1300::1'], 9.6)]

/** Over the Atlantic: two branches by way of London and Amsterdam, a silent hop, one that limits its replies. */
const west = [
  hop(['217.239.41.90', '84.116.190.94'], 17.8, { mpls: label(24_017) }),
  hop(['193.51.177.1', '195.66.224.1'], 21.5),
  hop([], 22),
  hop(['63.243.128.1'], 88.6, { lossPct: 24 }),
  hop(['129.250.6.1'], 94.9),
]
/** To Asia: four branches in London, by way of Marseille and Hong Kong. */
const east = [
  hop(['80.231.130.1', '80.231.130.5', '80.231.130.9', '80.231.130.13'], 20.3, { mpls: label(301_144) }),
  hop(['154.54.61.130'], 33.1),
  hop(['202.84.143.1'], 214.3),
  hop(['133.205.1.1'], 258.8),
]
const north = [hop(['130.237.28.40'], 28.7)]
const nearby: ScriptedHop[] = []
const north6 = [hop(['2001:6b0:17::1'], 27.9)]

interface ScriptedRoute {
  carriers: readonly ScriptedHop[]
  rttMs: number
  lossPct: number
}

const routes: Record<string, ScriptedRoute> = {
  '128.112.1.1': { carriers: west, rttMs: 98.3, lossPct: 0.6 },
  '133.11.0.1': { carriers: east, rttMs: 262.4, lossPct: 0.2 },
  '192.36.148.17': { carriers: north, rttMs: 29.9, lossPct: 0 },
  // Answers from near, though its address is registered far away: many places share it.
  '8.8.8.8': { carriers: nearby, rttMs: 10.6, lossPct: 0 },
  '2001:6b0:1::1': { carriers: north6, rttMs: 29.1, lossPct: 0 },
}

/** Names that the demo resolves. */
export const scriptedHosts: Record<string, readonly string[]> = {
  'mirror.example': ['128.112.1.1'],
  'archive.example': ['133.11.0.1'],
  'www.example': ['2001:6b0:1::1', '192.36.148.17'],
  'resolver.example': ['8.8.8.8'],
}

export const scriptedReverseNames: Record<string, string> = {
  '192.0.2.1': 'router.home.example',
  '62.155.246.86': 'edge1.frankfurt.provider.example',
  '84.116.190.94': 'core2.amsterdam.provider.example',
  '193.51.177.1': 'core1.paris.carrier.example',
  '195.66.224.1': 'exchange.london.carrier.example',
  '63.243.128.1': 'core1.newyork.carrier.example',
  '129.250.6.1': 'edge4.ashburn.carrier.example',
  '154.54.61.130': 'landing.marseille.transit.example',
  '202.84.143.1': 'landing.hongkong.transit.example',
  '133.205.1.1': 'edge1.tokyo.transit.example',
  '128.112.1.1': 'mirror.example',
  '133.11.0.1': 'archive.example',
  '192.36.148.17': 'www.example',
  '2001:6b0:1::1': 'www.example',
  '8.8.8.8': 'resolver.example',
}

/** The hops to a destination; its own is the last. Unknown ones lie to the west or the east. */
export function scriptedPath(destination: string): ScriptedHop[] {
  const isV6 = destination.includes(':')
  const elsewhere = { carriers: isV6 ? north6 : west, rttMs: isV6 ? 31.4 : 99.2, lossPct: 0.4 }
  const { carriers, rttMs, lossPct } = routes[destination] ?? elsewhere
  return [...(isV6 ? home6 : home4), ...carriers, hop([destination], rttMs, { lossPct })]
}
