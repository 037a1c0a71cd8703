import { setTimeout as sleep } from 'node:timers/promises'
import { AppWindow, installApp, type InstalledApp } from '../lab/app'
import type { Host } from '../lab/host'
import type { Lab } from '../lab/lab'
import { withLab } from '../lab/lab'
import { createLabUser, type LabUser } from '../lab/lab-user'
import { startTraffic } from '../lab/traffic'
import { BenchLink } from './bench-link'
import { cpuNsOf } from './process-usage'
import { median, type BenchResults, type Target } from './results'

const activeFlows = 10_000
const startRuns = 3

interface Stage {
  lab: Lab
  link: BenchLink
  app: InstalledApp
  user: LabUser
}

/** An installed app, and an ordinary user who runs it with a capable helper and Chromium's sandbox. */
async function withStage<T>(body: (stage: Stage) => Promise<T>): Promise<T> {
  return withLab(async (lab) => {
    const link = await BenchLink.create(lab)
    const app = await installApp(lab, { capable: true })
    return body({ lab, link, app, user: await createLabUser(lab) })
  })
}

/** CPU of the app's main process while every one of `activeFlows` flows changes in every tick and the window lists them. */
export async function measureMainProcess(seconds: number): Promise<NonNullable<BenchResults['main']>> {
  return withStage(async ({ lab, link, app, user }) => {
    const window = await AppWindow.launch(lab, link.capturing, app, { user })
    await window.page.getByRole('tab', { name: 'Connections' }).click()
    const settleSeconds = 5
    const blast = await link.prepare({
      transport: 'udp',
      flows: activeFlows,
      rate: 2 * activeFlows,
      seconds: settleSeconds + seconds + 2,
    })
    blast.go()
    await sleep(settleSeconds * 1000)
    const before = { cpuNs: cpuNsOf([window.process.pid]), ms: performance.now() }
    await sleep(seconds * 1000)
    const spentNs = cpuNsOf([window.process.pid]) - before.cpuNs
    const cpuPct = (spentNs / 1e6 / (performance.now() - before.ms)) * 100
    await blast.stop()
    await window.close()
    return { flows: activeFlows, cpuPct, seconds }
  })
}

/** Time from the start of the program to its page, and to the first row of a process with a rate. */
export async function measureStart(): Promise<NonNullable<BenchResults['start']>> {
  return withStage(async ({ lab, link, app, user }) => {
    await startTrickle(link.capturing)
    const runs: { windowMs: number; firstLiveRowMs: number }[] = []
    for (let run = 0; run < startRuns; run += 1) {
      const window = await AppWindow.launch(lab, link.capturing, app, { user })
      const windowMs = performance.now() - window.startedAtMs
      await window.page
        .getByRole('row')
        .filter({ hasText: 'traffic' })
        .filter({ hasText: /[1-9][\d.]*\s*[kMG]?i?(B|bit)\/s/ })
        .first()
        .waitFor()
      runs.push({ windowMs, firstLiveRowMs: performance.now() - window.startedAtMs })
      await window.close()
    }
    return {
      windowMs: median(runs.map(({ windowMs }) => windowMs)),
      firstLiveRowMs: median(runs.map(({ firstLiveRowMs }) => firstLiveRowMs)),
    }
  })
}

/** Traffic that never ends, of a process of the capturing host. */
async function startTrickle(host: Host): Promise<void> {
  const target = startTraffic(host, 'udp-client', {
    connect: '10.99.254.1',
    port: 9,
    send: Number.MAX_SAFE_INTEGER,
    rate: 200_000,
    chunk: 1000,
  })
  await target.opened()
}

export function windowTargets({ main, start }: Pick<BenchResults, 'main' | 'start'>): Target[] {
  return [
    ...(main === undefined
      ? []
      : [
          { name: `CPU of main with ${main.flows} active flows`, measured: main.cpuPct, limit: 5, unit: '% of a core' },
        ]),
    ...(start === undefined
      ? []
      : [{ name: 'first live row after the start', measured: start.firstLiveRowMs / 1000, limit: 3, unit: 's' }]),
  ]
}
