import { expect } from 'vitest'
import type { WireTotals } from '../../lab/host'
import { sum, type TotalsLine } from '../../lab/monitor'

const members = ['rxBytes', 'txBytes', 'rxPackets', 'txPackets'] as const

/** Everything captured belongs to a process or to the unattributed row, to the byte. */
export function expectExactSums(line: TotalsLine): void {
  const captured = sum(line.interfaces)
  expect(sum([...line.processes, line.unattributed])).toEqual(captured)
  const reasonBytes = Object.values(line.unattributed.reasons).reduce((total, bytes) => total + bytes, 0)
  expect(reasonBytes).toBe(line.unattributed.rxBytes + line.unattributed.txBytes)
  if (line.flows !== undefined) expect(sum(line.flows)).toEqual(captured)
}

/** Within 1 % of what was counted independently, and what may be on the wire besides. */
export function expectWithinOnePct(measured: WireTotals, truth: WireTotals, besides = { bytes: 0, packets: 0 }): void {
  for (const member of members) {
    const allowed = truth[member] * 0.01 + (member.endsWith('Bytes') ? besides.bytes : besides.packets)
    expect(Math.abs(measured[member] - truth[member]), `${member} beside the truth`).toBeLessThanOrEqual(allowed)
  }
}
