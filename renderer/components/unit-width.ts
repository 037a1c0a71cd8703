import type { UnitChoice } from '../../electron/shared/units'

/** Widths in `ch` of the widest unit with a prefix, so that the figures of a column end at the same place. */
export function rateUnitWidth({ rateUnit, unitSystem }: UnitChoice): number {
  if (rateUnit === 'bit') return unitSystem === 'iec' ? 6.3 : 5.7
  return unitSystem === 'iec' ? 5.1 : 4.5
}

export function byteUnitWidth(unitSystem: UnitChoice['unitSystem']): number {
  return unitSystem === 'iec' ? 3.5 : 2.9
}
