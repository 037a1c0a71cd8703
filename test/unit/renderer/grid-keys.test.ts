import { describe, expect, it } from 'vitest'
import { rowAfterKey } from '../../../renderer/components/data-grid/grid-keys'

describe('keys in a grid', () => {
  it.each([
    ['ArrowDown', 4, 5],
    ['ArrowDown', 99, 99],
    ['ArrowDown', -1, 0],
    ['ArrowUp', 4, 3],
    ['ArrowUp', 0, 0],
    ['ArrowUp', -1, 99],
    ['PageDown', 4, 14],
    ['PageDown', 95, 99],
    ['PageUp', 14, 4],
    ['PageUp', 4, 0],
    ['Home', 50, 0],
    ['End', 50, 99],
  ])('%s leads from row %i to row %i', (key, from, to) => {
    expect(rowAfterKey(key, from, 100, 10)).toBe(to)
  })

  it('leaves other keys and empty lists alone', () => {
    expect(rowAfterKey('a', 4, 100, 10)).toBeUndefined()
    expect(rowAfterKey('End', -1, 0, 10)).toBeUndefined()
  })
})
