/**
 * Where the parts of the application lie, in a checkout and in a package.
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { databaseDirs } from '../sources/database-files'

export interface Layout {
  /** The folder that is served to the window. */
  rendererDir: string
  preloadFile: string
  helperFile: string
  /** Where the databases of places and autonomous systems may lie. */
  databaseDirs: string[]
}

/**
 * @param mainUrl `import.meta.url` of the bundle, `<out>/main/index.js`.
 * @param resourcesDir `process.resourcesPath` of a package, null in a checkout. An executable with file capabilities
 *   can't lie inside the app's archive, so a package carries it beside.
 */
export function appLayout(mainUrl: string, resourcesDir: string | null): Layout {
  const outDir = dirname(dirname(fileURLToPath(mainUrl)))
  return {
    rendererDir: join(outDir, 'renderer'),
    preloadFile: join(outDir, 'preload', 'index.cjs'),
    helperFile:
      resourcesDir === null ? join(outDir, 'native', 'netloupe-helper') : join(resourcesDir, 'bin', 'netloupe-helper'),
    databaseDirs: databaseDirs(outDir, resourcesDir),
  }
}
