import type { Traffic } from '../../shared/views'
import type { RateWindow } from '../rate-window'
import type { Tally } from '../tally'

export function trafficOf(tally: Tally, window: RateWindow): Traffic {
  return {
    rxBytes: tally.rxBytes,
    txBytes: tally.txBytes,
    rxPackets: tally.rxPackets,
    txPackets: tally.txPackets,
    rxRate: window.rate(tally.rxWindowBytes),
    txRate: window.rate(tally.txWindowBytes),
  }
}

export const noTraffic: Traffic = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, rxRate: 0, txRate: 0 }

/** Part of all bytes per second now; of all bytes since the start when nothing moves. */
export function sharePct(part: Tally, whole: Tally): number {
  const window = whole.rxWindowBytes + whole.txWindowBytes
  if (window > 0) return (100 * (part.rxWindowBytes + part.txWindowBytes)) / window
  const total = whole.rxBytes + whole.txBytes
  return total > 0 ? (100 * (part.rxBytes + part.txBytes)) / total : 0
}
