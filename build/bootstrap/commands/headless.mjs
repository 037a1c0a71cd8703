import { pathToFileURL } from 'node:url'
import { ensureBuilt } from '../builds.mjs'
import { headlessEntry } from '../paths.mjs'

/**
 * `npm run --silent headless -- <command> [options]`: the command line, in this process, so that its output, signals and
 * exit code are the caller's own. Nothing but the command writes to stdout.
 */
export async function run(args) {
  await ensureBuilt(['helper', 'headless'])
  // npm runs scripts in the project; files on the command line are meant from where the user stands.
  if (process.env.npm_lifecycle_event === 'headless' && process.env.INIT_CWD) process.chdir(process.env.INIT_CWD)
  process.argv = [process.argv[0], headlessEntry, ...args]
  await import(pathToFileURL(headlessEntry).href)
}
