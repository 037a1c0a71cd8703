/** The row that a key leads to, undefined for keys that do not move. `index` is -1 while no row is active. */
export function rowAfterKey(key: string, index: number, rowCount: number, pageRows: number): number | undefined {
  const last = rowCount - 1
  if (last < 0) return undefined
  const within = (target: number) => Math.min(last, Math.max(0, target))
  switch (key) {
    case 'ArrowDown':
      return within(index + 1)
    case 'ArrowUp':
      return within(index < 0 ? last : index - 1)
    case 'PageDown':
      return within(index + pageRows)
    case 'PageUp':
      return within(index - pageRows)
    case 'Home':
      return 0
    case 'End':
      return last
    default:
      return undefined
  }
}
