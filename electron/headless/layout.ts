import { fileURLToPath } from 'node:url'

/** The helper beside this program's bundle: out/headless/index.js, out/native/netloupe-helper. */
export const helperFile = fileURLToPath(new URL('../native/netloupe-helper', import.meta.url))
