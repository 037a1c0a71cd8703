import { ensureBuilt } from '../builds.mjs'

/** `npm run build`: everything that the app and the command line are made of. */
export async function run() {
  await ensureBuilt(['helper', 'main', 'preload', 'renderer', 'headless'])
  return 0
}
