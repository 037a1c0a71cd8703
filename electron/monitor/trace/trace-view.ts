/**
 * A trace with what is known of its addresses. Places that the measured times rule out are marked here, since only the
 * trace knows the times.
 */
import { compareConnectionRtt } from './sentences'
import { implausiblePlaces } from './plausible-places'
import type { AddressInfo, TraceSnapshot, TraceView } from '../../shared/trace'

/** @param addressInfo what is known of an address now. */
export function joinView(
  own: Pick<TraceView, 'traceKey' | 'limits' | 'failure' | 'connectionRtts'>,
  snapshot: TraceSnapshot,
  addressInfo: (address: string) => AddressInfo,
): TraceView {
  const addresses: Record<string, AddressInfo> = { [snapshot.destination]: addressInfo(snapshot.destination) }
  for (const hop of snapshot.hops) {
    for (const { address } of hop.addresses) addresses[address] ??= addressInfo(address)
  }
  for (const address of implausiblePlaces(snapshot.hops, addresses)) {
    const info = addresses[address]
    if (info?.place) addresses[address] = { ...info, place: { ...info.place, isPlausible: false } }
  }
  const rttMs = own.connectionRtts.at(-1)?.rttMs
  const compared = rttMs === undefined ? null : compareConnectionRtt(snapshot, rttMs)
  const sentences = compared === null ? snapshot.sentences : [...snapshot.sentences, compared]
  return { ...snapshot, ...own, sentences, addresses }
}
