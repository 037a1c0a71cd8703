import { ensureNpmPackages } from '../npm-packages.mjs'
import { at } from '../paths.mjs'
import { step } from '../run.mjs'
import { say } from '../say.mjs'

const node = (script, ...args) => [process.execPath, at('node_modules', script), ...args]

const checks = {
  'types of the Node side': node('typescript/bin/tsc', '-p', 'tsconfig.json'),
  'types of the tests': node('typescript/bin/tsc', '-p', 'test/tsconfig.json'),
  'types of the window': node(
    'svelte-check/bin/svelte-check',
    '--tsconfig',
    'renderer/tsconfig.json',
    '--fail-on-warnings',
  ),
  'lint and layers': node('eslint/bin/eslint.js', '.', '--max-warnings=0'),
  formatting: node('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'),
}

/** `npm run check`: all of it even when something fails, so that one run shows everything. */
export async function run() {
  await ensureNpmPackages()
  const failed = []
  for (const [name, command] of Object.entries(checks)) {
    say(`Checking ${name}.`)
    if (!(await step(command))) failed.push(name)
  }
  say(failed.length === 0 ? 'All checks passed.' : `Failed: ${failed.join(', ')}.`)
  return failed.length === 0 ? 0 : 1
}
