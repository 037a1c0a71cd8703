/**
 * What the command line of the app means. Switches of Chromium's own (--user-data-dir, --ozone-platform ..) pass by.
 */
export interface LaunchOptions {
  /** Run on the scripted helper. */
  demo: boolean
  /** Started without Chromium's sandbox. */
  sandboxOff: boolean
}

export function parseLaunchOptions(args: readonly string[]): LaunchOptions {
  return {
    demo: args.includes('--demo'),
    sandboxOff: args.includes('--no-sandbox'),
  }
}

/**
 * The line for standard error when Chromium's sandbox is off, null when there is nothing to say. Root can't start Chromium
 * otherwise; anyone else gives up the wall between a page and the user's files.
 */
export function sandboxWarning(options: LaunchOptions, uid: number): string | null {
  if (!options.sandboxOff || uid === 0) return null
  return 'Chromium’s sandbox is off (--no-sandbox). Only root needs that; start Netloupe without it.'
}
