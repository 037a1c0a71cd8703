import { existsSync, readFileSync } from 'node:fs'
import { groups } from './distribution-packages.mjs'
import { hasProgram, need, query, step } from './run.mjs'
import { SetupError, say } from './say.mjs'

/** @typedef {{names: string[], program?: string, library?: string, module?: string, file?: string}} Entry */

/** Fields of os-release(5). */
export function parseOsRelease(text) {
  const fields = {}
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=("?)(.*)\2$/.exec(line.trim())
    if (match) fields[match[1]] = match[3]
  }
  return fields
}

function osRelease() {
  for (const file of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return parseOsRelease(readFileSync(file, 'utf8'))
    } catch {
      // The second place is the fallback that os-release(5) names.
    }
  }
  return {}
}

/** Whether packages come from apt: Debian, Ubuntu, and what says that it is like them. */
export function usesApt({ ID = '', ID_LIKE = '' }) {
  return [ID, ...ID_LIKE.split(' ')].some((id) => id === 'debian' || id === 'ubuntu')
}

/** @param {Entry[]} entries @returns {Entry[]} those of which dpkg knows no name as installed. */
function missingByDpkg(entries) {
  const names = entries.flatMap((entry) => entry.names)
  // dpkg-query fails when it knows not one of the names, and still prints the others.
  const listing = query([
    'sh',
    '-c',
    'dpkg-query -W -f \'${binary:Package} ${db:Status-Status}\\n\' "$@" || true',
    'sh',
    ...names,
  ])
  const installed = new Set()
  for (const line of (listing ?? '').split('\n')) {
    const [name, status] = line.split(' ')
    if (status === 'installed') installed.add(name.split(':')[0])
  }
  return entries.filter((entry) => !entry.names.some((name) => installed.has(name)))
}

/** @param {Entry[]} entries @returns {Entry[]} those that the system itself does not show. */
function missingByProbe(entries) {
  const libraries = query(['sh', '-c', 'PATH="$PATH:/sbin:/usr/sbin" ldconfig -p']) ?? ''
  return entries.filter((entry) => {
    if (entry.program) return !hasProgram(entry.program)
    if (entry.file) return !existsSync(entry.file)
    if (entry.module) return query(['pkg-config', '--exists', entry.module]) === null
    return !libraries.includes(`${entry.library} `)
  })
}

/** The first of an entry's names that apt could install; null when its lists know none. */
function installableName(entry) {
  for (const name of entry.names) {
    const policy = query(['apt-cache', 'policy', name], { env: { ...process.env, LC_ALL: 'C' } }) ?? ''
    if (/Candidate: (?!\(none\))/.test(policy)) return name
  }
  return null
}

function describe(entry) {
  const [newest, ...older] = entry.names
  return older.length > 0 ? `${newest} (or ${older.join(', ')})` : newest
}

const isRoot = process.getuid?.() === 0

function apt(...args) {
  const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args]
  return isRoot ? command : ['sudo', ...command]
}

async function installWithApt(missing) {
  const listed = missing.map(describe).join(' ')
  say(`Needs ${missing.length} package${missing.length > 1 ? 's' : ''} of the distribution: ${listed}`)
  const byHand = `Install them yourself: apt-get install ${missing.map((entry) => entry.names.at(-1)).join(' ')}`
  if (!isRoot && !hasProgram('sudo')) {
    throw new SetupError('Installing packages needs root, and there is no sudo here.', byHand)
  }
  say(isRoot ? 'Installing them with apt-get.' : 'Installing them with sudo apt-get; it may ask for your password.')

  // Fresh machines have no package lists, older ones stale lists: fetch them when a name or a file is not found.
  let fetched = false
  const fetchLists = async () => {
    await need('Fetching the package lists', apt('update'), { fix: byHand })
    fetched = true
  }
  let names = missing.map(installableName)
  if (names.includes(null)) {
    await fetchLists()
    names = missing.map(installableName)
  }
  const unknown = missing.filter((_, index) => names[index] === null)
  if (unknown.length > 0) {
    throw new SetupError(
      `apt knows no package ${unknown.map(describe).join(' ')}.`,
      'Check the sources in /etc/apt (on Ubuntu, that "universe" is enabled) and try again.',
    )
  }
  const install = apt('install', '-y', '--no-install-recommends', ...names)
  if (await step(install)) return
  if (fetched) throw new SetupError(`Installing packages failed (${install.join(' ')}).`, byHand)
  await fetchLists()
  await need('Installing packages', install, { fix: byHand })
}

/**
 * Makes sure that the distribution's packages of these groups are there.
 * @param {(keyof typeof groups)[]} groupNames
 */
export async function ensureDistributionPackages(groupNames) {
  const byName = new Map()
  for (const entry of groupNames.flatMap((name) => groups[name])) byName.set(entry.names[0], entry)
  const entries = [...byName.values()]

  const release = osRelease()
  if (usesApt(release)) {
    const missing = missingByDpkg(entries)
    if (missing.length > 0) await installWithApt(missing)
    return
  }
  const missing = missingByProbe(entries)
  if (missing.length === 0) return
  const lines = missing.map((entry) => {
    const what = entry.program ?? entry.library ?? entry.file ?? `${entry.module} (development files)`
    return `  ${what.padEnd(32)} on Debian: ${entry.names.at(-1)}`
  })
  throw new SetupError(
    `Packages can be installed by Netloupe itself only on Debian and Ubuntu; this is ${release.PRETTY_NAME ?? 'another system'}.`,
    `Install what is missing, then start again:\n${lines.join('\n')}`,
  )
}
