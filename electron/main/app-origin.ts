/**
 * The one origin that the window may come from. Its own scheme, not file://, because every file of the user would share
 * that origin.
 */
export const appScheme = 'app'
export const appHost = 'netloupe'
export const appOrigin = `${appScheme}://${appHost}`
export const appUrl = `${appOrigin}/index.html`

/** Whether an address belongs to the application. `new URL().origin` is no help: it is "null" for own schemes in Node. */
export function isAppUrl(url: string): boolean {
  try {
    const { protocol, host, username, password } = new URL(url)
    return protocol === `${appScheme}:` && host === appHost && username === '' && password === ''
  } catch {
    return false
  }
}
