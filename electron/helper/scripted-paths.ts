/** The routes of the scripted Internet, as data. */
import type { MplsLabel } from '../shared/trace'

export interface ScriptedHop {
  /** The branches that flows are spread over; none: the hop is silent. */
  addresses: readonly string[]
  /** Shortest round-trip. */
  rttMs: number
  lossPct: number
  mpls?: MplsLabel[]
}

const home4: ScriptedHop[] = [
  { addresses: ['192.0.2.1'], rttMs: 1.1, lossPct: 0 },
  { addresses: ['100.64.12.1'], rttMs: 6.2, lossPct: 0 },
]

const home6: ScriptedHop[] = [
  { addresses: ['2001:db8:40::1'], rttMs: 1.2, lossPct: 0 },
  { addresses: ['2001:db8:f::1'], rttMs: 6.4, lossPct: 0 },
]

const label = (value: number): MplsLabel => ({ label: value, trafficClass: 0, bottom: true, ttl: 1 })

/** From the home over three carriers, with a balanced pair, a silent hop and one that limits its replies. */
const backbone4: ScriptedHop[] = [
  { addresses: ['62.155.246.86'], rttMs: 9.4, lossPct: 0 },
  { addresses: ['217.5.95.10', '217.5.95.14'], rttMs: 13.2, lossPct: 0, mpls: [label(24_017)] },
  { addresses: ['80.156.162.178', '80.157.201.6'], rttMs: 15.9, lossPct: 0 },
  { addresses: [], rttMs: 16, lossPct: 0 },
  { addresses: ['129.250.7.8'], rttMs: 19.8, lossPct: 22 },
  { addresses: ['129.250.4.96'], rttMs: 101.5, lossPct: 0 },
]

const backbone6: ScriptedHop[] = [
  { addresses: ['2003:0:1300::1'], rttMs: 9.6, lossPct: 0 },
  { addresses: ['2003:0:130a::1', '2003:0:130b::1'], rttMs: 13.5, lossPct: 0 },
  { addresses: ['2001:728:0:2000::1'], rttMs: 20.1, lossPct: 0 },
]

/** The hops to a destination; its own is the last. */
export function scriptedPath(destination: string): ScriptedHop[] {
  if (destination.includes(':')) {
    return [...home6, ...backbone6, { addresses: [destination], rttMs: 24.8, lossPct: 0 }]
  }
  return [...home4, ...backbone4, { addresses: [destination], rttMs: 103.2, lossPct: 0.5 }]
}
