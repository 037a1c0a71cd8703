import { statSync } from 'node:fs'
import { join } from 'node:path'
import { hasProgram, need, query } from './run.mjs'
import { SetupError, say } from './say.mjs'

/**
 * Whether an ordinary user may make the user namespaces of which Chromium builds its sandbox. Tried rather than looked
 * up: sysctls, AppArmor (Ubuntu 24.04 and later), containers and chroots each refuse in their own way.
 */
function hasUserNamespaces() {
  return !hasProgram('unshare') || query(['unshare', '--user', '--map-root-user', '--net', 'true']) !== null
}

/**
 * Where user namespaces are refused, Chromium's set-uid sandbox program takes their place; it must belong to root.
 * @param {string} dist the directory of the Electron runtime
 */
export async function ensureSandbox(dist) {
  if (hasUserNamespaces()) return
  const program = join(dist, 'chrome-sandbox')
  const status = statSync(program)
  if (status.uid === 0 && (status.mode & 0o4755) === 0o4755) return
  const byHand = `Run as root: chown root:root '${program}' && chmod 4755 '${program}'`
  if (!hasProgram('sudo'))
    throw new SetupError("This system lets Chromium's sandbox work only when it is set-uid root.", byHand)
  say(`This system lets Chromium's sandbox work only when it is set-uid root; making ${program} so with sudo.`)
  await need('Changing the owner of the sandbox', ['sudo', 'chown', 'root:root', program], { fix: byHand })
  await need('Making the sandbox set-uid', ['sudo', 'chmod', '4755', program], { fix: byHand })
}
