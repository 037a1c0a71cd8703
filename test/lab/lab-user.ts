import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from './command'
import type { Lab } from './lab'

/** An ordinary user that exists as long as its lab. */
export interface LabUser {
  name: string
  uid: number
  gid: number
  home: string
  /** Put before a program, makes it run as this user, without any capability. */
  prefix: readonly string[]
  /** Environment of a fresh log-in that may draw on this process's display. */
  env: NodeJS.ProcessEnv
}

/** Makes the lab's user, who has the lab's name. The janitor removes it. */
export async function createLabUser(lab: Lab): Promise<LabUser> {
  await runCommand('useradd', ['--no-create-home', '--user-group', '--shell', '/usr/sbin/nologin', lab.name])
  const [uid = 0, gid = 0] = await Promise.all(
    ['-u', '-g'].map(async (option) => Number(await runCommand('id', [option, lab.name]))),
  )
  const home = join(lab.directory, 'home')
  const runtime = join(home, 'run')
  for (const directory of [home, runtime]) mkdirSync(directory, { mode: 0o700 })

  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: home, USER: lab.name, XDG_RUNTIME_DIR: runtime }
  if (process.env['DISPLAY'] !== undefined) env['DISPLAY'] = process.env['DISPLAY']
  const xauthority = process.env['XAUTHORITY']
  if (xauthority !== undefined && existsSync(xauthority)) {
    env['XAUTHORITY'] = join(home, '.Xauthority')
    copyFileSync(xauthority, env['XAUTHORITY'])
  }
  await runCommand('chown', ['-R', `${uid}:${gid}`, home])
  const prefix = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--inh-caps=-all']
  return { name: lab.name, uid, gid, home, prefix, env }
}
