/**
 * Serves the built window under the app's own origin, with the headers that confine it.
 */
import { readFile as readFileFromDisk } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { isAppUrl } from './app-origin'

/**
 * Nothing is allowed but what the window needs: its own scripts, styles, fonts and pictures. `style-src 'self'` forbids
 * style attributes too. Svelte makes elements from template strings through a policy of its own, hence its name here.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types svelte-trusted-html',
].join('; ')

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

const headers = {
  'Content-Security-Policy': contentSecurityPolicy,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

function refusal(status: number): Response {
  return new Response(null, { status, headers })
}

/**
 * The handler of the app's scheme: files of `rendererDir` whose type is known, nothing else of the disk.
 *
 * @param readFile reads a whole file; any rejection is answered with 404.
 */
export function appProtocolHandler(
  rendererDir: string,
  readFile: (path: string) => Promise<Uint8Array<ArrayBuffer>> = readFileFromDisk,
): (request: { method: string; url: string }) => Promise<Response> {
  const root = normalize(rendererDir + sep)
  return async ({ method, url }) => {
    if (method !== 'GET') return refusal(405)
    if (!isAppUrl(url)) return refusal(404)
    let path: string
    try {
      // Decoding comes before normalising: `%2e%2e%2f` would pass the other way round.
      path = normalize(join(root, decodeURIComponent(new URL(url).pathname)))
    } catch {
      return refusal(400)
    }
    const type = contentTypes[extname(path)]
    if (type === undefined || !path.startsWith(root) || path.includes('\0')) return refusal(404)
    try {
      return new Response(await readFile(path), { headers: { ...headers, 'Content-Type': type } })
    } catch {
      return refusal(404)
    }
  }
}
