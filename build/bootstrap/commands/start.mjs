import { hasDisplay, startApp } from '../app.mjs'
import { say } from '../say.mjs'
import { run as headless } from './headless.mjs'

/** `npm start [-- argument...]`: the window; without a display the same monitor in the terminal. */
export async function run(args) {
  if (hasDisplay()) return startApp(args)
  say('There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set); showing the monitor in this terminal.')
  return headless(['monitor', '--format', 'table'])
}
