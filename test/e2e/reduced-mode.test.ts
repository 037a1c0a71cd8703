/** The app of an ordinary user whose helper has no capability: it opens, says what is missing, and shows the rest. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { AppWindow, installApp } from '../lab/app'
import { Lab } from '../lab/lab'
import { createLabUser } from '../lab/lab-user'
import { paths } from '../lab/paths'
import { publicCopy } from '../lab/public-copy'
import { buildTools } from '../lab/tools'
import { startTraffic } from '../lab/traffic'
import { describeWindow } from './support/describe-window'
import { rowsWith } from './support/rows'
import { pictureFailure, takeScreenshots } from './support/screenshots'

describeWindow('reduced mode', () => {
  let lab: Lab
  let window: AppWindow

  beforeAll(async () => {
    await buildTools()
    lab = await Lab.create()
    const near = await lab.host('near')
    const far = await lab.host('far')
    await lab.link(
      { host: near, interface: 'eth0', addresses: ['10.81.0.1/24'] },
      { host: far, interface: 'eth0', addresses: ['10.81.0.2/24'] },
    )
    const user = await createLabUser(lab)
    const server = startTraffic(far, 'tcp-server', { port: 9001, receive: 1_000_000, hold: true })
    await server.ready()
    // The user's own process: it can be named without privilege.
    const copyOf = await publicCopy(lab, [paths.traffic])
    const [program = '', ...args] = [...user.prefix, copyOf(paths.traffic), 'tcp-client', '--connect', '10.81.0.2']
    const client = near.spawn(program, [...args, '--port', '9001', '--send', '1000000', '--hold'])
    await client.waitForJson('event', 'done')
    window = await AppWindow.launch(lab, near, await installApp(lab, { capable: false }), { user })
  })
  afterEach((context) => pictureFailure(window.page, context))
  afterAll(() => lab.close())

  it('says that it may not capture and offers to mend it', async () => {
    await window.page.getByText('Packets cannot be captured').waitFor()
    expect(await window.page.getByRole('button', { name: 'Allow capture' }).isEnabled()).toBe(true)
  })

  it('shows the sockets of own processes', async () => {
    await rowsWith(window.page, 'traffic').first().waitFor()
    await takeScreenshots(window.page, 'reduced')
    await window.page.getByRole('tab', { name: 'Connections' }).click()
    await rowsWith(window.page, '10.81.0.2:9001', 'traffic').waitFor()
  })
})
