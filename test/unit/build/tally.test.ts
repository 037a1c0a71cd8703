import { describe, expect, it } from 'vitest'
import { lastLine, sumOf, tallyOfNativeRun } from '../../../build/test/tally.mjs'

describe('the native run', () => {
  it('is read from its last lines, one per test program', () => {
    const tally = tallyOfNativeRun('decode ok\n12 passed, 0 failed\nmeter ok\n30 passed, 1 failed, 1 skipped\n', 2)
    expect(tally).toMatchObject({ passed: 42, failed: 1 })
    expect(tally.skipped).toHaveLength(1)
  })

  it('names what was skipped', () => {
    const tally = tallyOfNativeRun('skipped: capture on veth (no root)\n3 passed, 0 failed, 1 skipped\n', 0)
    expect(tally.skipped).toEqual([{ name: 'capture on veth', reason: 'no root' }])
  })

  it('has failed when it ends without a result', () => {
    expect(tallyOfNativeRun('make: *** [Makefile:12: test] Segmentation fault\n', 2).failed).toBe(1)
  })

  it('has failed when it ends badly after a good result', () => {
    expect(tallyOfNativeRun('12 passed, 0 failed\nLeakSanitizer: detected memory leaks\n', 1).failed).toBe(1)
  })
})

describe('the last line', () => {
  const good = { passed: 2, failed: 0, skipped: [] }
  const skipping = { passed: 1, failed: 1, skipped: [{ name: 'a', reason: 'no root' }] }

  it('sums the kinds', () => {
    expect(lastLine(sumOf([good, good]))).toBe('4 passed, 0 failed')
  })

  it('counts what was skipped', () => {
    expect(lastLine(sumOf([good, skipping]))).toBe('3 passed, 1 failed, 1 skipped')
  })
})
