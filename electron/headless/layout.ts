import { fileURLToPath } from 'node:url'
import { databaseDirs } from '../sources/database-files'

/** The helper beside this program's bundle: out/headless/index.js, out/native/netloupe-helper. */
export const helperFile = fileURLToPath(new URL('../native/netloupe-helper', import.meta.url))

/** Where the databases of places and autonomous systems may lie. */
export const addressDatabaseDirs = databaseDirs(fileURLToPath(new URL('..', import.meta.url)), null)
