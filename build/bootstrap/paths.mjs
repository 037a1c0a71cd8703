import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..')

/** A path inside the repository. */
export const at = (...parts) => join(root, ...parts)

/** What outlives a clone: runtimes that were downloaded and verified. */
export const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'netloupe')

export const helperBinary = at('out/native/netloupe-helper')
export const headlessEntry = at('out/headless/index.js')
