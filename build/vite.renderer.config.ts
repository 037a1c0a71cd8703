import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** The window: static files that main serves from its own origin, hence relative addresses and nothing inlined. */
export default defineConfig({
  root: at('renderer'),
  base: './',
  publicDir: false,
  plugins: [svelte({ configFile: at('svelte.config.js') })],
  build: {
    outDir: at('out/renderer'),
    emptyOutDir: true,
    target: 'chrome130',
    // data: addresses would have to be allowed in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: true,
  },
})
