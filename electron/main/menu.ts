/**
 * The menu, hidden until Alt is pressed: its accelerators work all the time. What a tab can do is in the page.
 */
import { Menu, type MenuItemConstructorOptions } from 'electron'

export function installMenu(allowDevTools: boolean): void {
  const template: MenuItemConstructorOptions[] = [
    {
      label: '&Netloupe',
      submenu: [
        { role: 'close', accelerator: 'CmdOrCtrl+W' },
        { role: 'quit', accelerator: 'CmdOrCtrl+Q' },
      ],
    },
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
        ...(allowDevTools ? [{ role: 'toggleDevTools' } as const] : []),
      ],
    },
  ]
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}
