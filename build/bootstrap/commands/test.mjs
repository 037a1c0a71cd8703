import { parseArgs } from 'node:util'
import { kinds } from '../../test/kinds.mjs'
import { lastLine, sumOf } from '../../test/tally.mjs'
import { appGroups, ensureApp } from '../app.mjs'
import { ensureBuilt } from '../builds.mjs'
import { ensureDistributionPackages } from '../distribution.mjs'
import { ensureNpmPackages } from '../npm-packages.mjs'
import { SetupError, say } from '../say.mjs'

function parse(args) {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { only: { type: 'string' } } })
  const names = values.only?.split(',') ?? Object.keys(kinds)
  const strange = names.filter((name) => !Object.hasOwn(kinds, name))
  if (strange.length > 0) {
    throw new SetupError(
      `There are no ${strange.join(', ')} tests.`,
      `--only takes: ${Object.keys(kinds).join(',')}.`,
      2,
    )
  }
  return { names, filters: positionals }
}

/**
 * `npm test [-- --only KIND,...] [FILE-FILTER...]`: every kind of test, whatever the ones before came to, and the sum as
 * the last line.
 */
export async function run(args) {
  const { names, filters } = parse(args)
  const needs = new Set(names.flatMap((name) => kinds[name].needs))
  await ensureDistributionPackages(['build', 'test', ...(needs.has('app') ? appGroups : [])])
  await ensureNpmPackages()
  const env = { ...process.env }
  if (needs.delete('app')) env.ELECTRON_OVERRIDE_DIST_PATH = await ensureApp()
  await ensureBuilt([...needs])

  const tallies = []
  for (const name of names) {
    say(`Running the ${name} tests.`)
    const tally = await kinds[name].run({ env, filters })
    say(`${name}: ${lastLine(tally)}`)
    tallies.push(tally)
  }

  const sum = sumOf(tallies)
  for (const { name, reason } of sum.skipped) console.log(`SKIPPED ${name}${reason ? ` -- ${reason}` : ''}`)
  console.log(lastLine(sum))
  return sum.failed === 0 ? 0 : 1
}
