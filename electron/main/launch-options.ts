/**
 * What the command line of the app means. Switches of Chromium's own (--user-data-dir, --ozone-platform ..) pass by.
 */
export interface LaunchOptions {
  /** Run on the scripted helper. */
  demo: boolean
  /** `--demo-flows=N`: how many flows the scripted helper has at once, null for its own choice. */
  demoFlows: number | null
  /** Started without Chromium's sandbox. */
  sandboxOff: boolean
}

export function parseLaunchOptions(args: readonly string[]): LaunchOptions {
  const demoFlows = args.map((arg) => /^--demo-flows=(\d{1,6})$/.exec(arg)?.[1]).find((count) => count !== undefined)
  return {
    demo: args.includes('--demo'),
    demoFlows: demoFlows === undefined ? null : Number(demoFlows),
    sandboxOff: args.includes('--no-sandbox'),
  }
}

/**
 * The line for standard error when Chromium's sandbox is off, null when there is nothing to say. Root can't start Chromium
 * otherwise; anyone else gives up the wall between a page and the user's files.
 */
export function sandboxWarning(options: Pick<LaunchOptions, 'sandboxOff'>, uid: number): string | null {
  if (!options.sandboxOff || uid === 0) return null
  return 'Chromium’s sandbox is off (--no-sandbox). Only root needs that; start Netloupe without it.'
}
