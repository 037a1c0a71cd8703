/**
 * What an Electron runtime runs when it is given an app on its command line, as the official default app does:
 * `electron [--switch]... [-r module]... <app directory or file> [argument]...`. Test drivers pass `-r` and switches.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { app } from 'electron'

const preloads = []
let appPath = null
const args = process.argv.slice(1)
while (args.length > 0 && appPath === null) {
  const arg = args.shift()
  if (arg === '-r' || arg === '--require') preloads.push(args.shift())
  else if (arg === '-v' || arg === '--version') {
    process.stdout.write(`v${process.versions.electron}\n`)
    process.exit(0)
  } else if (!arg.startsWith('-')) appPath = path.resolve(arg)
}
if (appPath === null) {
  process.stderr.write('usage: electron <app directory or file> [argument]...\n')
  process.exit(2)
}

process.defaultApp = true
const require = createRequire(import.meta.url)
for (const module of preloads) require(module)

const manifestFile = path.join(appPath, 'package.json')
let entry = appPath
if (existsSync(manifestFile)) {
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'))
  entry = path.join(appPath, manifest.main ?? 'index.js')
  if (manifest.version) app.setVersion(manifest.version)
  app.setName(manifest.productName ?? manifest.name ?? app.getName())
  if (manifest.desktopName) app.setDesktopName(manifest.desktopName)
  app.setPath('userData', path.join(app.getPath('appData'), app.getName()))
  app.setAppPath(appPath)
}

// Awaited at the top level: Electron holds the 'ready' event back until then, so that the app can still register
// what must be registered before it.
await import(pathToFileURL(entry).href)
