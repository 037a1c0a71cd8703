import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

/** Real helpers, namespaces and windows share one machine: one file at a time, and time for a slow one. */
const oneAtATime = {
  pool: 'forks',
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 120_000,
} as const

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [svelte({ configFile: 'svelte.config.js' })],
        // Components under test are mounted, so Svelte's browser build is meant, not its server build.
        resolve: { conditions: ['browser'] },
        // A busy machine is no failure: the limit only ends what hangs.
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...oneAtATime } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...oneAtATime } },
    ],
  },
})
