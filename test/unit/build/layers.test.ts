import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ESLint } from 'eslint'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Empty files at both ends of the imports below: an import that leads nowhere belongs to no layer. */
const files = [
  'electron/shared/errors.ts',
  'electron/monitor/flows.ts',
  'electron/helper/client.ts',
  'electron/sources/users.ts',
  'electron/headless/index.ts',
  'electron/history/store.ts',
  'electron/main/index.ts',
  'renderer/App.svelte',
  'renderer/state/processes.svelte.ts',
  'renderer/chart/TrafficChart.svelte',
  'renderer/features/processes/ProcessesTab.svelte',
  'renderer/features/processes/columns.ts',
  'renderer/features/connections/columns.ts',
]

let project: string
let eslint: ESLint

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'netloupe-layers-'))
  for (const file of files) {
    mkdirSync(dirname(join(project, file)), { recursive: true })
    writeFileSync(join(project, file), '')
  }
  eslint = new ESLint({
    cwd: project,
    overrideConfigFile: resolve('eslint.config.js'),
    overrideConfig: { settings: { 'boundaries/root-path': project } },
  })
})

afterAll(() => {
  rmSync(project, { recursive: true, force: true })
})

const layerRules = new Set(['boundaries/dependencies', 'no-restricted-syntax', 'no-restricted-globals'])

async function refusals(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(project, file) })
  const broken = result?.messages.filter((message) => message.fatal)
  expect(broken, 'the sample must parse').toEqual([])
  return (result?.messages ?? []).map((message) => message.ruleId ?? '').filter((rule) => layerRules.has(rule))
}

const svelte = (code: string) => `<script lang="ts">\n${code}\n</script>\n`

describe('refused', () => {
  it.each([
    ['electron/shared/model.ts', "import { readFileSync } from 'node:fs'\nreadFileSync('')"],
    ['electron/shared/model.ts', "import { flows } from '../monitor/flows'\nflows()"],
    ['electron/shared/model.ts', "import * as valibot from 'valibot'\nvalibot.string()"],
    ['electron/monitor/flows.ts', "import { client } from '../helper/client'\nclient()"],
    ['electron/monitor/flows.ts', "import { hrtime } from 'node:process'\nhrtime()"],
    ['electron/helper/client.ts', "import { app } from 'electron'\napp.quit()"],
    ['electron/helper/client.ts', "import type { App } from 'electron'\nexport type A = App"],
    ['electron/headless/index.ts', "import { app } from 'electron'\napp.quit()"],
    ['electron/headless/index.ts', "import { start } from '../main/index'\nstart()"],
    ['electron/history/store.ts', "import { flows } from '../monitor/flows'\nflows()"],
    ['electron/history/store.ts', "export { flows } from '../monitor/flows'"],
    ['electron/main/index.ts', "import uplot from 'uplot'\nuplot()"],
    ['electron/sources/users.ts', "const { app } = await import('electron')\napp.quit()"],
    ['renderer/state/status.svelte.ts', "import { client } from '../../electron/helper/client'\nclient()"],
    ['renderer/App.svelte', svelte("import { readFileSync } from 'node:fs'\nreadFileSync('')")],
    ['renderer/features/processes/ProcessesTab.svelte', svelte("import '../connections/columns'")],
    ['renderer/features/processes/ProcessesTab.svelte', svelte("import uplot from 'uplot'\nuplot()")],
    ['renderer/features/processes/ProcessesTab.svelte', svelte("window.netloupe.request('status.query', null)")],
    ['renderer/chart/TrafficChart.svelte', svelte("import '../features/processes/columns'")],
    ['renderer/App.svelte', svelte("netloupe.request('status.query', null)")],
  ])('%s: %j', async (file, code) => {
    expect(await refusals(file, code)).not.toEqual([])
  })
})

describe('allowed', () => {
  it.each([
    ['electron/monitor/flows.ts', "import { failure } from '../shared/errors'\nfailure()"],
    ['electron/helper/client.ts', "import { spawn } from 'node:child_process'\nspawn('')"],
    ['electron/main/index.ts', "import { app } from 'electron'\napp.quit()"],
    ['electron/main/index.ts', "import * as valibot from 'valibot'\nvalibot.string()"],
    ['electron/headless/index.ts', "import { client } from '../helper/client'\nclient()"],
    ['renderer/state/status.svelte.ts', "window.netloupe.request('status.query', null)"],
    ['renderer/App.svelte', svelte("import Tab from './features/processes/ProcessesTab.svelte'\nTab()")],
    ['renderer/features/processes/ProcessesTab.svelte', svelte("import { columns } from './columns'\ncolumns()")],
    ['renderer/features/processes/columns.ts', "import { state } from '../../state/processes.svelte'\nstate()"],
    ['renderer/chart/TrafficChart.svelte', svelte("import uplot from 'uplot'\nuplot()")],
    ['renderer/chart/TrafficChart.svelte', svelte("import 'uplot/dist/uPlot.min.css'")],
    ['renderer/state/a.ts', "import type { Failure } from '../../electron/shared/errors'\nexport type A = Failure"],
  ])('%s: %j', async (file, code) => {
    expect(await refusals(file, code)).toEqual([])
  })
})
