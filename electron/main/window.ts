/**
 * The application's window: confined, dark or light before its first frame, as large as the user left it.
 */
import { BrowserWindow, nativeTheme } from 'electron'
import { eventChannel } from '../shared/ipc-schema'
import { appUrl } from './app-origin'
import type { Layout } from './layout'
import type { ViewFeed, ViewTarget } from './view-feed'
import { loadWindowState, minimumSize, saveWindowState } from './window-state'

export interface WindowOptions {
  layout: Layout
  /** Where the window's size is kept. */
  stateFile: string
  allowDevTools: boolean
  log: (line: string) => void
}

/** The page's background, `--surface` of renderer/styles/tokens.css: shown until the page has drawn itself. */
const background = { dark: '#1b1c20', light: '#ffffff' }

/** A page that crashes at once would otherwise crash forever. */
const maxReloads = 3

function backgroundColor(): string {
  return nativeTheme.shouldUseDarkColors ? background.dark : background.light
}

/** Makes the window and loads its page; it is shown with its first frame. */
export function createWindow({ layout, stateFile, allowDevTools, log }: WindowOptions): BrowserWindow {
  const state = loadWindowState(stateFile)
  const window = new BrowserWindow({
    width: state.width,
    height: state.height,
    minWidth: minimumSize.width,
    minHeight: minimumSize.height,
    show: false,
    title: 'Netloupe',
    backgroundColor: backgroundColor(),
    autoHideMenuBar: true,
    webPreferences: {
      preload: layout.preloadFile,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      // Its dictionaries would be fetched from the network.
      spellcheck: false,
      devTools: allowDevTools,
    },
  })
  if (state.maximized) window.maximize()

  window.once('ready-to-show', () => {
    window.show()
  })
  const followTheme = (): void => {
    window.setBackgroundColor(backgroundColor())
  }
  nativeTheme.on('updated', followTheme)
  window.on('close', () => {
    const { width, height } = window.getNormalBounds()
    saveWindowState(stateFile, { width, height, maximized: window.isMaximized() })
  })
  window.on('closed', () => {
    nativeTheme.off('updated', followTheme)
  })

  let reloads = 0
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return
    log(`The window's page ended (${reason}).`)
    reloads += 1
    if (reloads <= maxReloads) window.webContents.reload()
  })
  window.webContents.on('preload-error', (_event, _path, error) => {
    log(`The preload script failed: ${error.message}`)
  })
  void window.loadURL(appUrl).catch((error: unknown) => {
    log(`The window's page could not be loaded: ${error instanceof Error ? error.message : String(error)}`)
  })
  return window
}

/** Lets the window's page ask, and feeds it for as long as it is there. */
export function serveWindow(window: BrowserWindow, feed: ViewFeed): void {
  const { webContents } = window
  const { id } = webContents
  const target: ViewTarget = {
    id,
    isShown: () => !window.isDestroyed() && window.isVisible() && !window.isMinimized(),
    send: (name, payload) => {
      if (!webContents.isDestroyed()) webContents.send(eventChannel, name, payload)
    },
  }
  feed.attach(target)
  // A page that is loaded anew has asked for nothing yet.
  webContents.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
    if (isMainFrame && !isSameDocument) feed.attach(target)
  })
  const isSeenAgain = (): void => {
    feed.refresh(id)
  }
  window.on('show', isSeenAgain)
  window.on('restore', isSeenAgain)
  window.on('closed', () => {
    feed.detach(id)
  })
}

/** Brings a window to the front, wherever it is. */
export function revealWindow(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}
