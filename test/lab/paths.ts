import { fileURLToPath } from 'node:url'

/** The repository is two folders above this file, and two above the benchmark's bundle that includes it. */
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** What the tests run; built by the Makefiles and by `npm run build`. */
export const paths = {
  root: at('.'),
  janitor: at('test/lab/janitor.sh'),
  relay: at('test/lab/namespace-relay.mjs'),
  toolSources: at('test/lab/tools'),
  traffic: at('out/lab/traffic'),
  blast: at('out/lab/blast'),
  headless: at('out/headless/index.js'),
  helper: at('out/native/netloupe-helper'),
  testResults: at('test-results'),
} as const
