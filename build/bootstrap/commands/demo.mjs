import { hasDisplay, startApp } from '../app.mjs'
import { SetupError } from '../say.mjs'

/** `npm run demo`: the window on a scripted helper, without any privilege, for work on the user interface. */
export async function run(args) {
  if (!hasDisplay()) {
    throw new SetupError('The demo is a window, and there is no display.', 'Start it with: xvfb-run -a npm run demo')
  }
  return startApp(['--demo', ...args])
}
