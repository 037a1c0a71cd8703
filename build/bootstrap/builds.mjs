import { availableParallelism } from 'node:os'
import { at } from './paths.mjs'
import { ensureDistributionPackages } from './distribution.mjs'
import { withLock } from './lock.mjs'
import { ensureNpmPackages } from './npm-packages.mjs'
import { need } from './run.mjs'
import { say } from './say.mjs'
import { clearStamp, digest, isFresh, writeStamp } from './stamp.mjs'

const vite = (config, ...args) => [
  process.execPath,
  at('node_modules/vite/bin/vite.js'),
  'build',
  '--logLevel=warn',
  `--config=${at('build', config)}`,
  ...args,
]

const make = (directory) => ['make', '--no-print-directory', '-s', `-j${availableParallelism()}`, '-C', at(directory)]

const bundled = ['package.json', 'package-lock.json', 'tsconfig.base.json', 'tsconfig.json', 'electron/shared']
const nodeBundle = (name, inputs) => ({
  inputs: [...bundled, 'build/vite.node.config.ts', ...inputs],
  outputs: [`out/${name}/index.${name === 'preload' ? 'cjs' : 'js'}`],
  command: () => vite('vite.node.config.ts', `--mode=${name}`),
})
const domain = ['monitor', 'helper', 'dissect', 'sources', 'history'].map((folder) => `electron/${folder}`)

/** What each output is made from and how. */
const builds = {
  helper: {
    inputs: ['native/Makefile', 'native/src'],
    outputs: ['out/native/netloupe-helper'],
    groups: ['build'],
    command: () => make('native'),
  },
  main: nodeBundle('main', ['electron/main', ...domain]),
  preload: nodeBundle('preload', ['electron/preload']),
  headless: nodeBundle('headless', ['electron/headless', ...domain]),
  renderer: {
    inputs: [...bundled, 'build/vite.renderer.config.ts', 'svelte.config.js', 'renderer'],
    outputs: ['out/renderer/index.html'],
    command: () => vite('vite.renderer.config.ts'),
  },
  lab: {
    inputs: ['test/lab/tools'],
    outputs: ['out/lab/blast', 'out/lab/traffic'],
    groups: ['build'],
    command: () => make('test/lab/tools'),
  },
  bench: nodeBundle('bench', ['test/bench', 'test/lab', ...domain]),
}

/** @typedef {keyof typeof builds} BuildName */

const isDone = (name) => isFresh(name, digest(builds[name].inputs), builds[name].outputs)

async function build(name) {
  const { inputs, command } = builds[name]
  const inputsDigest = digest(inputs)
  clearStamp(name)
  await need(`Building the ${name}`, command())
  writeStamp(name, inputsDigest)
}

/**
 * Brings the named outputs up to date; those whose inputs have not changed cost a few milliseconds.
 * @param {BuildName[]} names
 */
export async function ensureBuilt(names) {
  if (names.every(isDone)) return
  await withLock(at('out/.lock'), async () => {
    const stale = names.filter((name) => !isDone(name))
    if (stale.length === 0) return
    const groups = stale.flatMap((name) => builds[name].groups ?? [])
    if (groups.length > 0) await ensureDistributionPackages(groups)
    if (stale.some((name) => !builds[name].groups)) await ensureNpmPackages()
    say(`Building: ${stale.join(', ')}.`)
    for (const name of stale) await build(name)
  })
}
