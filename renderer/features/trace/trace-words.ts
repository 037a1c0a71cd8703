import type { AddressInfo, AddressKind, TraceRunState, TraceStopReason } from '../../../electron/shared/trace'

export const runStateWords: Record<TraceRunState, string> = {
  running: 'Running',
  paused: 'Paused',
  finished: 'Finished',
  failed: 'Failed',
}

/** Why the table ends where it does; `''` while it may still grow. */
export const stopWords: Record<TraceStopReason, string> = {
  none: '',
  destination: 'destination reached',
  unreachable: 'refused on the way',
  gap: 'nothing answers any further',
  maxTtl: 'max TTL reached',
}

/** What an address is when no database can place it; `''` for public ones. */
export const kindWords: Record<AddressKind, string> = {
  public: '',
  private: 'Private network',
  cgnat: 'Shared (CGNAT)',
  loopback: 'This computer',
  linkLocal: 'Link-local',
  uniqueLocal: 'Private network',
  multicast: 'Multicast',
  broadcast: 'Broadcast',
  documentation: 'Documentation',
  reserved: 'Reserved',
  unspecified: 'Unspecified',
}

/** `Frankfurt am Main, DE`; the country in full where the city is not known; `''` for nothing. */
export function placeText(info: AddressInfo | undefined): string {
  const place = info?.place ?? null
  if (place === null) return kindWords[info?.kind ?? 'public']
  const { city, country, countryCode } = place
  return city === '' ? country || countryCode : `${city}, ${countryCode}`
}

/** `AS3320 Deutsche Telekom AG`, `''` unknown. */
export function asText(info: AddressInfo | undefined): string {
  const number = info?.asNumber ?? null
  return number === null ? '' : `AS${number} ${info?.asName ?? ''}`.trim()
}
