import type { HopAddress, RttSummary, TraceHop } from '../../../electron/shared/trace'

/** A line of the table: a hop with its first address, or a further address that answers there. */
export interface HopRow {
  key: string
  hop: TraceHop
  /** `''` while nobody has answered. */
  address: string
  isFirst: boolean
  /** Of the hop on its first line, of the address on the others. */
  rtt: RttSummary
}

/** More lines of one hop would bury the path; a forger could make as many as he likes. */
const maxAddressesPerHop = 8

/** The lines for hops, in the order of their distance. */
export function hopRows(hops: readonly TraceHop[]): HopRow[] {
  return hops.flatMap((hop) => {
    // By flow, not by the number of answers, which would have lines change places all the time.
    const addresses = [...hop.addresses].sort((one, other) => (one.flows[0] ?? 0) - (other.flows[0] ?? 0))
    const [first, ...others] = addresses.slice(0, maxAddressesPerHop)
    const row = (address: HopAddress | undefined, isFirst: boolean): HopRow => ({
      key: `${hop.ttl}:${address?.address ?? ''}`,
      hop,
      address: address?.address ?? '',
      isFirst,
      rtt: isFirst || address === undefined ? hop : address,
    })
    return [row(first, true), ...others.map((address) => row(address, false))]
  })
}
