import type { TraceHop } from '../../../electron/shared/trace'

/** Loss below this is chance at the numbers of probes that a person waits for. */
const noticeableLossPct = 2

/**
 * How loss at a hop is to be read. `slight`: so little that it may be chance. `harmless`: a later hop loses (almost)
 * nothing, so the router only limits its own replies; reading that as a fault is the most common mistake with such tables.
 */
export type LossTone = 'none' | 'slight' | 'harmless' | 'lost'

export function lossTone(hops: readonly TraceHop[], hop: TraceHop): LossTone {
  if (hop.lossPct === 0) return 'none'
  if (hop.received === 0) return hops.some(({ ttl, received }) => ttl > hop.ttl && received > 0) ? 'harmless' : 'lost'
  if (hop.lossPct < noticeableLossPct) return 'slight'
  const bearable = Math.max(noticeableLossPct, hop.lossPct / 2)
  const passes = hops.some(({ ttl, received, lossPct }) => ttl > hop.ttl && received > 0 && lossPct < bearable)
  return passes ? 'harmless' : 'lost'
}
