import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'
import { defineConfig, type UserConfig } from 'vite'

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** Resolved when the program runs, not when it is bundled. */
const external = ['electron', 'playwright-core', ...builtinModules, ...builtinModules.map((name) => `node:${name}`)]

const bundles = {
  main: { entry: 'electron/main/index.ts', format: 'es', file: 'index.js' },
  // A sandboxed preload script is loaded as CommonJS, whatever package.json says.
  preload: { entry: 'electron/preload/index.ts', format: 'cjs', file: 'index.cjs' },
  headless: { entry: 'electron/headless/index.ts', format: 'es', file: 'index.js' },
  bench: { entry: 'test/bench/index.ts', format: 'es', file: 'index.js' },
} as const

/** One self-contained bundle per program that runs in Node; `vite build --mode <name>` selects it. */
export default defineConfig(({ mode }): UserConfig => {
  if (!(mode in bundles)) {
    throw new Error(`--mode must be one of ${Object.keys(bundles).join(', ')}, not "${mode}".`)
  }
  const bundle = bundles[mode as keyof typeof bundles]
  return {
    root: at('.'),
    publicDir: false,
    define: { 'process.env.NODE_ENV': JSON.stringify('production') },
    ssr: { noExternal: true, external: ['electron', 'playwright-core'] },
    build: {
      ssr: true,
      outDir: at(`out/${mode}`),
      emptyOutDir: true,
      target: 'node20',
      minify: false,
      sourcemap: true,
      rollupOptions: {
        input: at(bundle.entry),
        external,
        output: { format: bundle.format, entryFileNames: bundle.file, inlineDynamicImports: true },
      },
    },
  }
})
