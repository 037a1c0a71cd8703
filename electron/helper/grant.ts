/**
 * Gives the helper's file its capabilities, once, through the desktop's password dialog.
 *
 * Exactly one command ever runs as root, and the only part of it that varies is the path of the helper, which comes from
 * the app's own layout and is checked here all the same: it passes two shells on its way.
 */
import { lstat, readFile } from 'node:fs/promises'
import { isAbsolute, normalize } from 'node:path'
import { exec } from 'sudo-prompt'
import { fail, succeed, type Outcome } from '../shared/errors'

const capabilities = 'cap_net_raw,cap_sys_ptrace,cap_dac_read_search=ep'

/** Where distributions put setcap. Absolute, because root's PATH is not ours to guess. */
const setcapPaths = ['/usr/sbin/setcap', '/sbin/setcap', '/usr/bin/setcap']

/** How `runAsRoot` ended. */
export interface ElevatedRun {
  /** Exit code of the command, or of pkexec when the command did not run; null when nothing could be started. */
  exitCode: number | null
  stderr: string
  /** sudo-prompt's own words, `''` when the command succeeded. */
  error: string
}

export interface GrantPorts {
  runAsRoot(command: string): Promise<ElevatedRun>
  /** What lies at a path, without following a link; null when there is nothing. */
  kindOf(path: string): Promise<'file' | 'link' | 'other' | null>
  /** The text of proc_pid_mountinfo(5), `''` when it can't be read. */
  mountInfo(): Promise<string>
}

/** The command to type where there is no dialog. */
export function grantCommand(helperFile: string, setcap = 'setcap'): string {
  return `${setcap} ${capabilities} ${quoted(helperFile)}`
}

/**
 * Asks for the administrator's password and sets the capabilities. They take effect when the helper starts next.
 *
 * Errors: `unsafePath`, `helperMissing`, `helperNotAFile`, `setcapMissing`, `mountForbids`, `grantCancelled`,
 * `grantRefused`, `noPasswordDialog`, `noCapabilitySupport`, `setcapFailed`. Where a terminal would help, the fix is the
 * command to run there.
 */
export async function grantCapabilities(
  helperFile: string,
  ports: GrantPorts = systemGrantPorts,
): Promise<Outcome<null>> {
  if (!isSafePath(helperFile)) {
    return fail(
      'unsafePath',
      `The helper’s path ${JSON.stringify(helperFile)} holds characters that a shell would read as more than a path.`,
      'Move Netloupe to a folder whose path has only letters, digits, spaces and . _ / + @ , : = - in it.',
    )
  }
  const kind = await ports.kindOf(helperFile)
  if (kind === null)
    return fail('helperMissing', `There is no helper at ${helperFile}.`, 'Build or install Netloupe again.')
  if (kind !== 'file') {
    return fail(
      'helperNotAFile',
      `${helperFile} is a ${kind === 'link' ? 'symbolic link' : 'special file'}, which may not get capabilities.`,
      'Build or install Netloupe again.',
    )
  }
  const forbidding = forbiddingMount(await ports.mountInfo(), helperFile)
  if (forbidding !== null) {
    return fail(
      'mountForbids',
      `${forbidding.mountPoint} is mounted with ${forbidding.option}, so capabilities of programs on it do not count.`,
      'Move Netloupe to another file system, or install its package.',
    )
  }
  const setcap = await firstFile(setcapPaths, ports)
  if (setcap === null) {
    return fail('setcapMissing', 'The program setcap is not installed.', 'sudo apt-get install libcap2-bin')
  }
  const run = await ports.runAsRoot(grantCommand(helperFile, setcap))
  return run.error === '' ? succeed(null) : explain(run, `sudo ${grantCommand(helperFile)}`)
}

/** @param byHand the command that does the same in a terminal. */
function explain({ exitCode, stderr, error }: ElevatedRun, byHand: string): Outcome<null> {
  if (/no polkit authentication agent/i.test(error)) {
    return fail('noPasswordDialog', 'This desktop runs no polkit agent, so nothing can ask for the password.', byHand)
  }
  if (/unable to find pkexec/i.test(error)) {
    return fail('noPasswordDialog', 'pkexec is not installed, so nothing can ask for the password.', byHand)
  }
  if (/did not grant permission/i.test(error)) {
    // pkexec(1): 126 when the dialog was dismissed, 127 for every other way of not being authorized.
    return exitCode === 126
      ? fail('grantCancelled', 'The password dialog was closed, nothing was changed.')
      : fail('grantRefused', 'The system did not let Netloupe ask for administrator rights.', byHand)
  }
  if (/not supported/i.test(stderr)) {
    return fail(
      'noCapabilitySupport',
      'The file system of the helper cannot hold file capabilities.',
      'Move Netloupe to a local file system such as ext4, xfs or btrfs, or install its package.',
    )
  }
  const words = stderr.trim().split('\n').at(-1) ?? ''
  return fail('setcapFailed', `setcap failed${words === '' ? '' : `: ${words}`}.`, byHand)
}

/**
 * Absolute, with nothing to resolve, and free of quotes, `$`, backticks, backslashes, `!`, line ends and all else that means
 * something to a shell inside or outside of quotes.
 */
function isSafePath(path: string): boolean {
  return isAbsolute(path) && normalize(path) === path && /^[\p{L}\p{N} ._/+@,:=-]+$/u.test(path)
}

/** Spaces are the only characters of a safe path that need it. */
function quoted(path: string): string {
  return path.includes(' ') ? `'${path}'` : path
}

/** The mount that `path` is on, if its options make the kernel ignore file capabilities or refuse to run programs. */
function forbiddingMount(mountInfo: string, path: string): { mountPoint: string; option: string } | null {
  let nearest = { mountPoint: '', options: [] as string[] }
  for (const line of mountInfo.split('\n')) {
    const [, , , , escapedPoint, options] = line.split(' ')
    if (escapedPoint === undefined || options === undefined) continue
    const mountPoint = unescapeMountPoint(escapedPoint)
    const isAbove = mountPoint === '/' || path.startsWith(`${mountPoint}/`)
    // Of several mounts on one point the last one listed lies on top.
    if (isAbove && mountPoint.length >= nearest.mountPoint.length) nearest = { mountPoint, options: options.split(',') }
  }
  const option = nearest.options.find((name) => name === 'nosuid' || name === 'noexec')
  return option === undefined ? null : { mountPoint: nearest.mountPoint, option }
}

/** The kernel writes space, tab, line end and backslash as three octal digits. */
function unescapeMountPoint(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

async function firstFile(paths: string[], ports: GrantPorts): Promise<string | null> {
  for (const path of paths) {
    // A link is fine here: merged /usr makes /sbin one, and only root could have placed it.
    if ((await ports.kindOf(path)) !== null) return path
  }
  return null
}

const systemGrantPorts: GrantPorts = {
  runAsRoot: (command) =>
    new Promise((resolve) => {
      exec(command, { name: 'Netloupe' }, (error, _stdout, stderr) => {
        const code = error && 'code' in error ? error.code : 0
        resolve({
          exitCode: typeof code === 'number' ? code : null,
          stderr: stderr?.toString() ?? '',
          error: error?.message ?? '',
        })
      })
    }),
  kindOf: async (path) => {
    try {
      const stats = await lstat(path)
      return stats.isFile() ? 'file' : stats.isSymbolicLink() ? 'link' : 'other'
    } catch {
      return null
    }
  },
  mountInfo: () => readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
}
