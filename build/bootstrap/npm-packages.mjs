import { readFileSync } from 'node:fs'
import { withLock } from './lock.mjs'
import { at } from './paths.mjs'
import { hasProgram, need } from './run.mjs'
import { SetupError, say } from './say.mjs'

function packagesIn(lockfile) {
  try {
    return JSON.parse(readFileSync(at(lockfile), 'utf8')).packages
  } catch {
    return null
  }
}

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes node_modules/.package-lock.json at the very end
 * of an installation; optional packages for other platforms are not in it.
 */
export function isInstalled(wanted, installed) {
  if (!wanted || !installed) return false
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true
    const found = installed[path]
    return found ? found.version === version && found.integrity === integrity : optional === true
  })
}

const isComplete = () => isInstalled(packagesIn('package-lock.json'), packagesIn('node_modules/.package-lock.json'))

/** Installs the npm packages that the lockfile names, unless they are there. No package's install script runs. */
export async function ensureNpmPackages() {
  if (isComplete()) return
  if (!hasProgram('npm')) {
    throw new SetupError('npm is not on the PATH.', 'Install it (it comes with Node; on Debian it is the package npm).')
  }
  await withLock(at('out/.npm-lock'), async () => {
    if (isComplete()) return
    say('Installing the npm packages that package-lock.json names.')
    await need('Installing npm packages', ['npm', 'ci', '--ignore-scripts', '--loglevel=error'], {
      fix: 'The lines above say why. Is the npm registry reachable (npm ping)?',
    })
  })
}
