/**
 * How many tests of one kind passed, failed and were skipped.
 * @typedef {{passed: number, failed: number, skipped: {name: string, reason: string}[]}} Tally
 */

/**
 * Reads the last line that the native tests print: "N passed, N failed" or "N passed, N failed, N skipped". Lines
 * before it that begin with "skipped:" name what was skipped and why. A run that ends otherwise, or ends well with
 * failures or badly without, counts as one more failure.
 * @param {string} output
 * @param {number} exitCode
 * @returns {Tally}
 */
export function tallyOfNativeRun(output, exitCode) {
  const summaries = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)]
  if (summaries.length === 0) return { passed: 0, failed: 1, skipped: [] }
  const sum = (group) => summaries.reduce((total, match) => total + Number(match[group] ?? 0), 0)
  const named = [...output.matchAll(/^skipped: (.+?)(?: \((.+)\))?$/gm)].map(([, name, reason = '']) => ({
    name,
    reason,
  }))
  const unnamed = Array.from({ length: Math.max(0, sum(3) - named.length) }, () => ({
    name: 'a native test',
    reason: '',
  }))
  const failed = sum(2)
  return {
    passed: sum(1),
    failed: exitCode !== 0 && failed === 0 ? 1 : failed,
    skipped: [...named, ...unnamed],
  }
}

/** @param {Tally[]} tallies @returns {Tally} */
export function sumOf(tallies) {
  return {
    passed: tallies.reduce((total, tally) => total + tally.passed, 0),
    failed: tallies.reduce((total, tally) => total + tally.failed, 0),
    skipped: tallies.flatMap((tally) => tally.skipped),
  }
}

/** The line that a run ends with. @param {Tally} tally */
export function lastLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`
}
