import { writeFileSync } from 'node:fs'

/**
 * Vitest reporter that writes what the whole run's last line is summed from, to the file that NETLOUPE_TALLY names:
 * `{passed, failed, skipped: [{name, reason}]}`. A file that cannot be loaded and an error outside any test count as
 * failed tests, since a run with either is not a good one.
 */
export default class TallyReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: [] }
    for (const module of modules) {
      const suites = [module, ...module.children.allSuites()]
      tally.failed += suites.filter((suite) => suite.errors().length > 0).length
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        if (state === 'passed') tally.passed += 1
        else if (state === 'failed') tally.failed += 1
        else tally.skipped.push({ name: `${module.relativeModuleId}: ${test.fullName}`, reason: note ?? '' })
      }
    }
    writeFileSync(process.env.NETLOUPE_TALLY, JSON.stringify(tally))
  }
}
