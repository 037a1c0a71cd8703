/**
 * The command, wrapped in a session bus and a virtual X server where the environment has neither.
 * @param {string[]} command
 */
export function withDisplay(command) {
  const display = process.env.DISPLAY ? [] : ['xvfb-run', '-a', '-s', '-screen 0 1600x1200x24']
  const bus = process.env.DBUS_SESSION_BUS_ADDRESS ? [] : ['dbus-run-session', '--']
  return [...bus, ...display, ...command]
}
