/**
 * The real app with the real helper, as it is installed: an ordinary user, file capabilities on the helper, Chromium's
 * sandbox on. Traffic flows between namespaces at a known rate.
 */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { startBlast } from '../lab/blast'
import { AppWindow, installApp } from '../lab/app'
import { processTree } from '../lab/process-tree'
import type { Host } from '../lab/host'
import { Lab } from '../lab/lab'
import { createLabUser, type LabUser } from '../lab/lab-user'
import { buildTools } from '../lab/tools'
import { startTraffic, type Traffic } from '../lab/traffic'
import { describeWindow } from './support/describe-window'
import { drawnRows, lastDrawnRow, listedRows, ratesIn, rowsWith } from './support/rows'
import { pictureFailure, takeScreenshots } from './support/screenshots'

const farAddress = '10.80.0.2'
const port = 9000
const payloadBytesPerSecond = 2_000_000

describeWindow('window', () => {
  let lab: Lab
  let near: Host
  let far: Host
  let user: LabUser
  let window: AppWindow
  let download: Traffic

  beforeAll(async () => {
    await buildTools()
    lab = await Lab.create()
    near = await lab.host('near')
    far = await lab.host('far')
    await lab.link(
      { host: near, interface: 'eth0', addresses: ['10.80.0.1/24'] },
      { host: far, interface: 'eth0', addresses: [`${farAddress}/24`] },
    )
    user = await createLabUser(lab)
    const endless = Number.MAX_SAFE_INTEGER
    const server = startTraffic(far, 'tcp-server', { port, send: endless, rate: payloadBytesPerSecond, chunk: 20_000 })
    await server.ready()
    download = startTraffic(near, 'tcp-client', { connect: farAddress, port, receive: endless })
    await download.opened()
    window = await AppWindow.launch(lab, near, await installApp(lab, { capable: true }), { user })
  })
  afterEach((context) => pictureFailure(window.page, context))
  afterAll(async () => {
    await lab.close()
  })

  it('shows the process that uses the network, with its rate', async () => {
    const row = rowsWith(window.page, 'traffic', String(download.pid))
    await row.waitFor()
    // TCP's headers and acknowledgements are on the wire too: somewhat more than the payload.
    await expect
      .poll(async () => ratesIn((await row.textContent()) ?? '')[0], { timeout: 15_000 })
      .toBeGreaterThan(payloadBytesPerSecond * 0.9)
    const [rxRate = 0, txRate = 0] = ratesIn((await row.textContent()) ?? '')
    expect(rxRate).toBeLessThan(payloadBytesPerSecond * 1.2)
    expect(txRate).toBeLessThan(payloadBytesPerSecond * 0.2)
    // The process is root's: the helper may look at it although the user may not.
    expect(await row.textContent()).toContain('root')
  })

  it('shows details of the process on request', async () => {
    await rowsWith(window.page, 'traffic', String(download.pid)).click()
    await window.page.getByText('/out/lab/traffic').first().waitFor()
    await window.page.getByText(`${farAddress}:${port}`).first().waitFor()
    await takeScreenshots(window.page, 'processes')
  })

  it('lists its connection', async () => {
    await window.page.getByRole('tab', { name: 'Connections' }).click()
    const row = rowsWith(window.page, `${farAddress}:${port}`, 'traffic')
    await row.waitFor()
    await expect.poll(async () => (await row.textContent())?.toLowerCase()).toContain('established')
    await takeScreenshots(window.page, 'connections')
  })

  it('is reached by keyboard', async () => {
    const { page } = window
    await page.getByRole('tab', { name: 'Processes' }).click()
    await page.keyboard.press('ArrowRight')
    expect(await page.getByRole('tab', { name: 'Connections' }).getAttribute('aria-selected')).toBe('true')
    await page.keyboard.press('ArrowLeft')
    expect(await page.getByRole('tab', { name: 'Processes' }).getAttribute('aria-selected')).toBe('true')

    await page.keyboard.press('Control+f')
    await page.keyboard.type('no such process')
    await rowsWith(page, 'traffic').waitFor({ state: 'detached' })
    await page.keyboard.press('Escape')
    await rowsWith(page, 'traffic').waitFor()
  })

  it('says what it captures, and that nothing is missing', async () => {
    const status = window.page.getByRole('contentinfo')
    await expect.poll(() => status.textContent()).toContain('eth0')
    await expect.poll(() => window.page.getByText('Packets cannot be captured').count()).toBe(0)
  })

  it('lists ten thousand live flows and draws those on screen', async () => {
    const { page } = window
    const flows = 10_000
    const blast = startBlast(far, {
      interface: 'eth0',
      destinationMac: await near.linkLayerAddress('eth0'),
      source: '10.80.1.0',
      destination: '10.80.0.1',
      flows,
      rate: 2 * flows,
    })
    await blast.ready()
    blast.go()
    await page.getByRole('tab', { name: 'Connections' }).click()
    await expect.poll(() => listedRows(page), { timeout: 20_000 }).toBeGreaterThan(flows)
    expect(await drawnRows(page)).toBeLessThan(80)
    await page.getByRole('grid').first().focus()
    await page.keyboard.press('End')
    await expect.poll(() => lastDrawnRow(page)).toBeGreaterThan(flows)
    expect(await drawnRows(page)).toBeLessThan(80)
    await takeScreenshots(page, 'connections-10000')
    await blast.stop()
  })

  it('runs in its sandbox, as its user', () => {
    const tree = processTree(window.process.pid)
    const renderers = tree.filter((pid) => commandLine(pid).includes('--type=renderer'))
    expect(renderers).not.toEqual([])
    for (const pid of renderers) expect(statusField(pid, 'Seccomp')).toBe('2')
    for (const pid of tree) {
      expect(commandLine(pid)).not.toContain('--no-sandbox')
      expect(Number(statusField(pid, 'Uid'))).toBe(user.uid)
    }
  })

  it('keeps its page from Node, the network and other pages', async () => {
    const { page } = window
    const url = page.url()
    expect(
      await page.evaluate(() => ['require', 'process', 'module', 'Buffer'].filter((name) => name in globalThis)),
    ).toEqual([])
    expect(
      await page.evaluate(() =>
        fetch('http://10.80.0.2:9000/')
          .then(() => 'reached')
          .catch(() => 'refused'),
      ),
    ).toBe('refused')
    await page.evaluate(() => {
      const link = document.createElement('a')
      link.href = 'http://10.80.0.2:9000/'
      document.body.append(link)
      link.click()
      link.remove()
    })
    expect(await page.evaluate(() => open('http://10.80.0.2:9000/') === null)).toBe(true)
    expect(page.url()).toBe(url)
  })

  it('starts a killed helper again and keeps the totals', async () => {
    const { page } = window
    const helper = processTree(window.process.pid).find((pid) => /netloupe-helper/.test(commandLine(pid)))
    if (helper === undefined) throw new Error('the app has no helper')
    process.kill(helper, 'SIGKILL')
    await expect
      .poll(
        () => processTree(window.process.pid).some((pid) => pid !== helper && /netloupe-helper/.test(commandLine(pid))),
        { timeout: 15_000 },
      )
      .toBe(true)
    // By key: after the refused navigation a click would wait for a page that never comes.
    await page.keyboard.press('Control+1')
    const row = rowsWith(page, 'traffic', String(download.pid))
    await expect
      .poll(async () => ratesIn((await row.textContent()) ?? '')[0], { timeout: 15_000 })
      .toBeGreaterThan(payloadBytesPerSecond * 0.9)
  })

  it('ends with its helper when it is closed', async () => {
    const tree = processTree(window.process.pid)
    await window.close()
    await expect.poll(() => tree.filter((pid) => commandLine(pid).includes('netloupe'))).toEqual([])
  })
})

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** First word of a field of /proc/PID/status. */
function statusField(pid: number, name: string): string {
  return new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''
}
