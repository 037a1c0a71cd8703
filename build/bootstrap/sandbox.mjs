import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasProgram, need } from './run.mjs'
import { SetupError, say } from './say.mjs'

function isSwitch(file, value) {
  try {
    return readFileSync(file, 'utf8').trim() === value
  } catch {
    return false
  }
}

/** Whether the kernel keeps ordinary users from user namespaces, of which Chromium builds its sandbox. */
function isUserNamespaceRefused() {
  return (
    // Ubuntu 24.04 and later: only programs with an AppArmor profile for it.
    isSwitch('/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1') ||
    // Debian 10 and hardened kernels.
    isSwitch('/proc/sys/kernel/unprivileged_userns_clone', '0') ||
    isSwitch('/proc/sys/user/max_user_namespaces', '0')
  )
}

/**
 * Where user namespaces are refused, Chromium's set-uid sandbox program takes their place; it must belong to root.
 * @param {string} dist the directory of the Electron runtime
 */
export async function ensureSandbox(dist) {
  if (!isUserNamespaceRefused()) return
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
