import { formatCount } from '../../electron/shared/units'

/** A count with its noun: `1 flow`, `12 flows`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}
