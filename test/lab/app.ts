import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium, type Browser, type Page } from 'playwright-core'
import { runCommand } from './command'
import type { Host } from './host'
import type { Lab } from './lab'
import type { LabProcess } from './lab-process'
import type { LabUser } from './lab-user'
import { paths } from './paths'
import { relayPort, type PortRelay } from './port-relay'

/** What a package's installation gives the helper. */
const helperCapabilities = 'cap_net_raw,cap_sys_ptrace,cap_dac_read_search=ep'

export interface InstalledApp {
  electron: string
  directory: string
  helper: string
}

/** Why no window can be shown here, or undefined when one can. */
export function whyNoWindow(): string | undefined {
  if (process.env['ELECTRON_OVERRIDE_DIST_PATH'] === undefined) return 'ELECTRON_OVERRIDE_DIST_PATH names no runtime'
  if (process.env['DISPLAY'] === undefined) return 'there is no display'
  return undefined
}

/**
 * Lays the built app out as a package would: owned by root, readable by all, with or without capabilities on its helper.
 */
export async function installApp(lab: Lab, { capable }: { capable: boolean }): Promise<InstalledApp> {
  const runtime = process.env['ELECTRON_OVERRIDE_DIST_PATH']
  if (runtime === undefined) throw new Error(whyNoWindow())
  const name = capable ? 'app-capable' : 'app-plain'
  const directory = join(lab.directory, name)
  mkdirSync(join(directory, 'out', 'native'), { recursive: true })
  await runCommand('cp', [join(paths.root, 'package.json'), directory])
  for (const part of ['main', 'preload', 'renderer'])
    await runCommand('cp', ['-R', join(paths.root, 'out', part), join(directory, 'out')])
  const helper = join(directory, 'out', 'native', 'netloupe-helper')
  await runCommand('install', ['-o', 'root', '-g', 'root', '-m', '755', paths.helper, helper])
  if (capable) await runCommand('setcap', [helperCapabilities, helper])

  // The runtime may lie in a home that others cannot enter; hard links cost no space where the file system allows them.
  const dist = join(lab.directory, 'electron')
  await runCommand('sh', ['-c', '[ -d "$2" ] || cp -Rl "$1" "$2" 2>/dev/null || cp -R "$1" "$2"', 'sh', runtime, dist])
  return { electron: join(dist, 'electron'), directory, helper }
}

/** Every host has a loopback of its own, so that this port is free on each. */
const debugPort = 9222

/** A running window, driven over the DevTools protocol, which leaves Chromium's sandbox on. */
export class AppWindow {
  private constructor(
    readonly process: LabProcess,
    readonly page: Page,
    /** `performance.now()` just before the program was started. */
    readonly startedAtMs: number,
    private readonly browser: Browser,
    private readonly relay: PortRelay,
  ) {}

  /** Starts the app on a host and waits for its page. As root, for want of a user, it runs without sandbox. */
  static async launch(
    lab: Lab,
    host: Host,
    app: InstalledApp,
    { user, args = [] }: { user?: LabUser; args?: readonly string[] } = {},
  ): Promise<AppWindow> {
    // Beforehand, so that its own start is no part of the app's when that is measured.
    const relay = await relayPort(lab, host, debugPort)
    const startedAtMs = performance.now()
    const process = spawnApp(host, app, { ...(user ? { user } : {}), args })
    const endpoint = `http://127.0.0.1:${relay.port}`
    await Promise.race([pageLoaded(endpoint), endedEarly(process)])
    const browser = await chromium.connectOverCDP(endpoint)
    const context = browser.contexts()[0]
    if (context === undefined) throw new Error('the app has no browser context')
    const page = context.pages()[0] ?? (await context.waitForEvent('page'))
    await page.waitForLoadState('domcontentloaded')
    return new AppWindow(process, page, startedAtMs, browser, relay)
  }

  /** Closes the window as its user does; resolves when the app is gone. */
  async close(): Promise<void> {
    this.process.signal('SIGTERM')
    await this.process.exit
    await this.browser.close()
    await this.relay.close()
  }
}

/** Starts the app without waiting for anything. */
export function spawnApp(
  host: Host,
  app: InstalledApp,
  { user, args = [] }: { user?: LabUser; args?: readonly string[] } = {},
): LabProcess {
  const [program = '', ...rest] = [
    ...(user?.prefix ?? []),
    app.electron,
    `--remote-debugging-port=${debugPort}`,
    ...(user === undefined ? ['--no-sandbox'] : []),
    app.directory,
    ...args,
  ]
  const env = user?.env ?? process.env
  // No session bus of another user; the app has to live without one.
  return host.spawn(program, rest, { env: { ...env, DBUS_SESSION_BUS_ADDRESS: 'disabled:' }, cwd: '/' })
}

/** Resolves when the window's page has its title. Who attaches to a page that is still being made may wait forever. */
async function pageLoaded(endpoint: string): Promise<void> {
  for (let tries = 0; tries < 1500; tries += 1) {
    const targets = await listTargets(endpoint)
    if (targets.some(({ type, title }) => type === 'page' && title === 'Netloupe')) return
    await sleep(20)
  }
  throw new Error('the app shows no page')
}

/** What can be attached to; nothing before the app listens. */
async function listTargets(endpoint: string): Promise<{ type: string; title: string }[]> {
  try {
    return (await (await fetch(`${endpoint}/json/list`)).json()) as { type: string; title: string }[]
  } catch {
    return []
  }
}

async function endedEarly(process: LabProcess): Promise<never> {
  const { code } = await process.exit
  throw new Error(`the app ended with ${code}: ${process.stderr}`)
}
