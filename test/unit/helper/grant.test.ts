import { describe, expect, it, vi } from 'vitest'
import { grantCapabilities, grantCommand, type ElevatedRun, type GrantPorts } from '../../../electron/helper/grant'

const helperFile = '/opt/Netloupe/resources/bin/netloupe-helper'
const rootMount = '20 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw'

function ports(changes: Partial<GrantPorts> = {}, run: Partial<ElevatedRun> = {}) {
  const runAsRoot = vi.fn<GrantPorts['runAsRoot']>(() =>
    Promise.resolve({ exitCode: 0, stderr: '', error: '', ...run }),
  )
  const all: GrantPorts = {
    runAsRoot,
    kindOf: () => Promise.resolve('file'),
    mountInfo: () => Promise.resolve(rootMount),
    ...changes,
  }
  return { all, runAsRoot }
}

async function failureCode(file: string, changes: Partial<GrantPorts>, run: Partial<ElevatedRun> = {}) {
  const outcome = await grantCapabilities(file, ports(changes, run).all)
  return outcome.ok ? 'ok' : outcome.failure.code
}

describe('the grant', () => {
  it('runs one fixed setcap on the helper, with setcap’s full path', async () => {
    const { all, runAsRoot } = ports()
    expect(await grantCapabilities(helperFile, all)).toMatchObject({ ok: true })
    expect(runAsRoot.mock.calls).toEqual([
      [`/usr/sbin/setcap cap_net_raw,cap_sys_ptrace,cap_dac_read_search=ep ${helperFile}`],
    ])
  })

  it('quotes a path with spaces', async () => {
    const { all, runAsRoot } = ports()
    await grantCapabilities('/home/ada/My Apps/netloupe-helper', all)
    expect(runAsRoot.mock.calls[0]?.[0]).toMatch(/=ep '\/home\/ada\/My Apps\/netloupe-helper'$/)
  })

  it('takes letters of every language', async () => {
    expect(await failureCode('/home/zoë/Загрузки/netloupe-helper', {})).toBe('ok')
  })

  it.each([
    'native/netloupe-helper',
    '/opt/../opt/helper',
    '/opt/./helper',
    '/opt//helper',
    "/opt/it's/helper",
    '/opt/"quoted"/helper',
    '/opt/$(reboot)/helper',
    '/opt/$HOME/helper',
    '/opt/`reboot`/helper',
    '/opt/a;reboot/helper',
    '/opt/a&reboot/helper',
    '/opt/a|b/helper',
    '/opt/a\nreboot/helper',
    '/opt/a\\b/helper',
    '/opt/a!b/helper',
    '/opt/a*b/helper',
    '/opt/a\0b/helper',
    '',
  ])('never runs anything for the path %j', async (path) => {
    const { all, runAsRoot } = ports()
    expect(await grantCapabilities(path, all)).toMatchObject({ ok: false, failure: { code: 'unsafePath' } })
    expect(runAsRoot).not.toHaveBeenCalled()
  })

  it('is no option in which a path could be mistaken for another capability', () => {
    expect(grantCommand(helperFile).split(' ')).toHaveLength(3)
  })

  it.each([
    [null, 'helperMissing'],
    ['link', 'helperNotAFile'],
    ['other', 'helperNotAFile'],
  ] as const)('refuses a helper that is %s', async (kind, code) => {
    const kindOf: GrantPorts['kindOf'] = (path) => Promise.resolve(path === helperFile ? kind : 'file')
    expect(await failureCode(helperFile, { kindOf })).toBe(code)
  })

  it('says when setcap is not installed', async () => {
    const kindOf: GrantPorts['kindOf'] = (path) => Promise.resolve(path === helperFile ? 'file' : null)
    expect(await failureCode(helperFile, { kindOf })).toBe('setcapMissing')
  })
})

describe('the mount of the helper', () => {
  const withMounts = (...lines: string[]) => ({ mountInfo: () => Promise.resolve([rootMount, ...lines].join('\n')) })

  it.each(['nosuid', 'noexec'])('must not be %s', async (option) => {
    const mounts = withMounts(`30 20 8:2 / /opt rw,${option},relatime - ext4 /dev/sda2 rw`)
    expect(await failureCode(helperFile, mounts)).toBe('mountForbids')
  })

  it('is the nearest one, and the topmost of several on one point', async () => {
    const nosuidOpt = '30 20 8:2 / /opt rw,nosuid - ext4 /dev/sda2 rw'
    expect(await failureCode(helperFile, withMounts(nosuidOpt, '31 30 8:3 / /opt/Netloupe rw - ext4 x rw'))).toBe('ok')
    expect(await failureCode(helperFile, withMounts(nosuidOpt, '32 30 8:4 / /opt rw - ext4 x rw'))).toBe('ok')
    expect(await failureCode(helperFile, withMounts('33 20 8:5 / /op rw,nosuid - ext4 x rw'))).toBe('ok')
  })

  it('may have a name with spaces', async () => {
    const mounts = withMounts('34 20 8:6 / /media/USB\\040stick rw,nosuid - vfat x rw')
    expect(await failureCode('/media/USB stick/netloupe-helper', mounts)).toBe('mountForbids')
  })
})

describe('what can go wrong with the password', () => {
  it.each<[string, Partial<ElevatedRun>, string, boolean]>([
    ['the dialog was closed', { exitCode: 126, error: 'User did not grant permission.' }, 'grantCancelled', false],
    ['not authorized', { exitCode: 127, error: 'User did not grant permission.' }, 'grantRefused', true],
    ['no agent', { exitCode: 127, error: 'No polkit authentication agent found.' }, 'noPasswordDialog', true],
    ['no pkexec', { exitCode: null, error: 'Unable to find pkexec or kdesudo.' }, 'noPasswordDialog', true],
    [
      'setcap failed',
      { exitCode: 1, error: 'Command failed', stderr: 'fatal error: Invalid argument' },
      'setcapFailed',
      true,
    ],
    [
      'a file system without capabilities',
      { exitCode: 1, error: 'Command failed', stderr: 'Failed to set capabilities: Operation not supported' },
      'noCapabilitySupport',
      false,
    ],
  ])('%s', async (_, run, code, showsCommand) => {
    const outcome = await grantCapabilities(helperFile, ports({}, run).all)
    expect(outcome).toMatchObject({ ok: false, failure: { code } })
    if (!outcome.ok && showsCommand) expect(outcome.failure.fix).toBe(`sudo ${grantCommand(helperFile)}`)
  })
})
