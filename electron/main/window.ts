/**
 * The application's window: confined, dark or light before its first frame, as large as the user left it.
 */
import { BrowserWindow, nativeTheme } from 'electron'
import { appUrl } from './app-origin'
import type { Layout } from './layout'
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
  window.once('ready-to-show', () => {
    // Not before: maximizing shows the window.
    if (state.maximized) window.maximize()
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

/** Brings a window to the front, wherever it is, unless it has just been closed. */
export function revealWindow(window: BrowserWindow): void {
  if (window.isDestroyed()) return
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}
