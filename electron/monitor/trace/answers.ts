/**
 * What an answer to a probe says about the path: a router on the way, the destination, or the end of the road.
 */
import type { ProbeItem } from '../../shared/trace'

export interface Answer {
  kind: 'transit' | 'destination' | 'unreachable'
  /** As traceroute(8) prints it; `''` none. */
  mark: string
  words: string
}

const transit: Answer = { kind: 'transit', mark: '', words: '' }
const reached: Answer = { kind: 'destination', mark: '', words: '' }

/** ICMP type 3, RFC 792 and RFC 1812 section 5.2.7.1. */
const unreachableV4: Record<number, readonly [mark: string, words: string]> = {
  0: ['!N', 'network unreachable'],
  1: ['!H', 'host unreachable'],
  2: ['!P', 'protocol unreachable'],
  4: ['!F', 'fragmentation needed'],
  5: ['!S', 'source route failed'],
  6: ['!U', 'destination network unknown'],
  7: ['!W', 'destination host unknown'],
  8: ['!I', 'source host isolated'],
  9: ['!A', 'network administratively prohibited'],
  10: ['!Z', 'host administratively prohibited'],
  11: ['!Q', 'network unreachable for this TOS'],
  12: ['!T', 'host unreachable for this TOS'],
  13: ['!X', 'communication administratively prohibited'],
  14: ['!V', 'host precedence violation'],
  15: ['!C', 'precedence cutoff'],
}

/** ICMPv6 type 1, RFC 4443 section 3.1. */
const unreachableV6: Record<number, readonly [mark: string, words: string]> = {
  0: ['!N', 'no route to the destination'],
  1: ['!X', 'communication administratively prohibited'],
  2: ['!S', 'beyond the scope of the source address'],
  3: ['!H', 'address unreachable'],
  5: ['!A', 'source address failed the policy'],
  6: ['!R', 'reject route'],
}

/**
 * Reads one reply. `item.icmpType` absent means an answer of the destination's own TCP or an echo reply that a ping
 * socket delivered.
 */
export function readAnswer(item: ProbeItem, destination: string): Answer {
  const isV6 = destination.includes(':')
  const { icmpType: type, icmpCode: code = 0 } = item
  if (type === undefined) return reached
  if (type === (isV6 ? 129 : 0)) return reached
  if (type === (isV6 ? 3 : 11)) {
    // A time exceeded in the destination's own name: it forwards to itself (a NAT in front of it).
    return transit
  }
  if (isV6 && type === 2)
    return { kind: 'unreachable', mark: `!F-${item.mtu ?? 0}`, words: `packet too big, MTU ${item.mtu ?? 0}` }
  if (type !== (isV6 ? 1 : 3)) return transit
  const isPortUnreachable = code === (isV6 ? 4 : 3)
  if (isPortUnreachable) {
    return item.address === destination
      ? reached
      : { kind: 'destination', mark: '!p', words: 'port unreachable, said by another address' }
  }
  const [mark, words] = (isV6 ? unreachableV6 : unreachableV4)[code] ?? [`!${code}`, `unreachable, code ${code}`]
  return {
    kind: 'unreachable',
    mark: mark === '!F' && item.mtu !== undefined ? `!F-${item.mtu}` : mark,
    words: mark === '!F' && item.mtu !== undefined ? `${words}, MTU ${item.mtu}` : words,
  }
}
