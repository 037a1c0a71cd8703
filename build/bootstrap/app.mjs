import { join } from 'node:path'
import { ensureBuilt } from './builds.mjs'
import { ensureDistributionPackages } from './distribution.mjs'
import { ensureElectronRuntime } from './electron-runtime.mjs'
import { ensureNpmPackages } from './npm-packages.mjs'
import { root } from './paths.mjs'
import { becomeChild } from './run.mjs'
import { ensureSandbox } from './sandbox.mjs'

export const hasDisplay = () => Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)

/** Groups of distribution packages that the app is built with and runs on. */
export const appGroups = ['build', 'display']

/**
 * Everything that the window needs, found or made.
 * @returns {Promise<string>} the directory of the Electron runtime
 */
export async function ensureApp() {
  await ensureDistributionPackages(appGroups)
  await ensureBuilt(['helper', 'main', 'preload', 'renderer'])
  await ensureNpmPackages()
  return ensureElectronRuntime()
}

/**
 * Starts the window and stays until it ends.
 * @param {string[]} args for the app
 * @returns {Promise<number>} its exit code
 */
export async function startApp(args) {
  const dist = await ensureApp()
  const switches = []
  // Chromium does not start with its sandbox as root. The app itself says so, however it was started.
  if (process.getuid?.() === 0) switches.push('--no-sandbox')
  else await ensureSandbox(dist)
  // Before Electron 38, Wayland alone was used only when asked for.
  if (!process.env.DISPLAY) switches.push('--ozone-platform-hint=auto')
  return becomeChild([join(dist, 'electron'), ...switches, root, ...args], {
    env: { ...process.env, ELECTRON_OVERRIDE_DIST_PATH: dist },
  })
}
