import { appGroups, ensureApp } from '../app.mjs'
import { ensureBuilt } from '../builds.mjs'
import { withDisplay } from '../display.mjs'
import { ensureDistributionPackages } from '../distribution.mjs'
import { at } from '../paths.mjs'
import { becomeChild } from '../run.mjs'

/** `npm run bench [-- option...]`: the figures of the README's table, measured on this machine. */
export async function run(args) {
  await ensureDistributionPackages(['bench', ...appGroups])
  const dist = await ensureApp()
  await ensureBuilt(['headless', 'lab', 'bench'])
  const command = withDisplay([process.execPath, at('out/bench/index.js'), ...args])
  return becomeChild(command, { env: { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: dist } })
}
