/**
 * Composition root of the app: makes the parts and wires them, decides nothing else.
 */
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { app, clipboard, dialog, ipcMain, nativeTheme, powerMonitor, protocol } from 'electron'
import { connectProgram } from '../helper/client'
import { grantCapabilities } from '../helper/grant'
import { scriptedHostAddress, scriptedReverse } from '../helper/scripted-names'
import { connectScripted } from '../helper/scripted-helper'
import { Prober } from '../helper/prober'
import { createSupervisor, systemClock } from '../helper/supervisor'
import { createMonitor } from '../monitor/monitor'
import { AddressBook } from '../sources/address-book'
import { hostAddress } from '../sources/host-addresses'
import { etherTypeName, protocolName } from '../sources/protocols'
import { systemReverse } from '../sources/reverse-names'
import { serviceName } from '../sources/services'
import { userName } from '../sources/users'
import { fail } from '../shared/errors'
import { requestChannel } from '../shared/ipc-schema'
import type { Settings, StatusView } from '../shared/views'
import { appScheme } from './app-origin'
import { appProtocolHandler } from './app-protocol'
import { actionHandlers } from './ipc/handlers/actions'
import { helperHandlers } from './ipc/handlers/helper'
import { settingsHandlers } from './ipc/handlers/settings'
import { traceHandlers } from './ipc/handlers/traces'
import { viewHandlers } from './ipc/handlers/views'
import { createRouter } from './ipc/router'
import { parseLaunchOptions, sandboxWarning } from './launch-options'
import { appLayout } from './layout'
import { installMenu } from './menu'
import { MonitorSession } from './monitor-session'
import { endProcess } from './process-end'
import { confineApp } from './security'
import { serveWindow } from './serve-window'
import { SettingsStore } from './settings'
import { writePicture } from './trace/clipboard-picture'
import { TraceExporter } from './trace/trace-export'
import { TraceSessions } from './trace/trace-sessions'
import { ViewFeed } from './view-feed'
import { createWindow, revealWindow } from './window'

const options = parseLaunchOptions(process.argv.slice(1))
const allowDevTools = !app.isPackaged

function log(line: string): void {
  process.stderr.write(`netloupe: ${line}\n`)
}

// A terminal that has been closed must not end the app with a broken pipe.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

const warning = sandboxWarning(options, process.getuid?.() ?? 0)
if (warning !== null) log(warning)
// Chromium's switch, which Electron lets the app's name override.
const ownDataDir = app.commandLine.getSwitchValue('user-data-dir')
if (ownDataDir !== '') app.setPath('userData', resolve(ownDataDir))
// The demo keeps its own settings and may run beside the real thing.
else if (options.demo) app.setPath('userData', join(app.getPath('appData'), `${app.getName()} demo`))

protocol.registerSchemesAsPrivileged([{ scheme: appScheme, privileges: { standard: true, secure: true } }])
confineApp(app, allowDevTools)

if (app.requestSingleInstanceLock()) void app.whenReady().then(run)
else app.quit()

function run(): void {
  const layout = appLayout(import.meta.url, app.isPackaged ? process.resourcesPath : null)
  const dataFile = (name: string): string => join(app.getPath('userData'), name)

  const settings = new SettingsStore(dataFile('settings.json'), Date.now())
  nativeTheme.themeSource = settings.current.theme

  const monitor = createMonitor({ demo: options.demo, serviceName, protocolName, etherTypeName, userName })
  const prober: Prober = new Prober(() => session.helper, systemClock)
  const session = new MonitorSession({
    monitor,
    prober,
    connect: options.demo
      ? connectScripted(options.demoFlows === null ? {} : { flows: options.demoFlows })
      : connectProgram({ path: layout.helperFile }),
    createSupervisor,
    clock: systemClock,
    loopback: settings.current.loopback,
    onTick: () => {
      feed.tick()
    },
    onStatus: () => {
      feed.statusChanged()
    },
  })
  const status = (): StatusView => {
    const view = monitor.status(session.helperStatus)
    return { ...view, degraded: [...view.degraded, ...settings.problems] }
  }
  const feed = new ViewFeed({
    openProcesses: () => monitor.openProcesses(),
    openConnections: () => monitor.openConnections(),
    processDetails: (ownerId) => monitor.processDetails(ownerId),
    chart: (subject) => monitor.chart(subject),
    status,
    traceList: () => traces.list(),
    trace: (traceKey) => traces.view(traceKey),
  })
  const addresses = new AddressBook({
    databaseDirs: layout.databaseDirs,
    reverse: options.demo ? scriptedReverse : systemReverse(),
    reverseNames: settings.current.reverseNames,
    changed: (address) => {
      traces.addressChanged(address)
    },
  })
  const traces: TraceSessions = new TraceSessions({
    prober,
    helper: () => session.helper,
    resolve: options.demo ? scriptedHostAddress : hostAddress,
    book: addresses,
    clock: systemClock,
    onTrace: (traceKey) => {
      feed.traceChanged(traceKey)
    },
    onList: () => {
      feed.traceListChanged()
    },
  })

  const applySettings = (now: Settings, before: Settings): void => {
    nativeTheme.themeSource = now.theme
    addresses.asksForNames = now.reverseNames
    if (now.loopback !== before.loopback) void session.setLoopback(now.loopback)
    feed.broadcast('settings', now)
    feed.statusChanged()
  }
  const demoActions = {
    grant: () => Promise.resolve(fail('demo', 'The demo has a scripted helper, which needs no capabilities.')),
    endProcess: () => fail('demo', 'The processes of the demo are invented; there is nothing to end.'),
  }
  const realActions = { grant: () => grantCapabilities(layout.helperFile), endProcess }
  const { grant, endProcess: end } = options.demo ? demoActions : realActions
  const router = createRouter({
    handlers: {
      ...viewHandlers(feed),
      ...settingsHandlers(settings, applySettings),
      ...traceHandlers(
        {
          start: (trace) => traces.start(trace),
          control: (traceKey, action) => traces.control(traceKey, action),
          export: (traceKey, format, target) => exporter.export(traceKey, format, target),
        },
        feed,
      ),
      ...helperHandlers({ grant, restart: () => session.restartHelper() }),
      ...actionHandlers({
        owner: (ownerId) => monitor.owner(ownerId),
        endProcess: end,
        writeClipboard: (text) => {
          clipboard.writeText(text)
        },
      }),
    },
    isKnownWindow: (contentsId) => feed.isAttached(contentsId),
    log,
  })
  ipcMain.handle(requestChannel, (event, name: unknown, params: unknown) => router(event, name, params))
  protocol.handle(appScheme, appProtocolHandler(layout.rendererDir))
  installMenu(allowDevTools)

  // The helper comes up while the window is being made.
  session.start()
  const window = createWindow({ layout, stateFile: dataFile('window.json'), allowDevTools, log })
  serveWindow(window, feed)
  const exporter = new TraceExporter({
    view: (traceKey) => traces.view(traceKey),
    localName: hostname(),
    picture: () => window.webContents.capturePage(),
    askForFile: async (defaultName) => {
      const { canceled, filePath } = await dialog.showSaveDialog(window, { defaultPath: defaultName })
      return canceled ? null : filePath
    },
    writeText: (text) => {
      clipboard.writeText(text)
    },
    writePicture,
  })

  app.on('second-instance', () => {
    revealWindow(window)
  })
  powerMonitor.on('resume', () => {
    session.resumed()
  })
  app.on('window-all-closed', () => {
    app.quit()
  })
  app.on('will-quit', () => {
    void session.stop()
  })
}
