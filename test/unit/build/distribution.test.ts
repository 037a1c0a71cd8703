import { expect, it } from 'vitest'
import { parseOsRelease, usesApt } from '../../../build/bootstrap/distribution.mjs'

it('reads quoted and bare fields of os-release', () => {
  expect(parseOsRelease('# comment\nID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n\n')).toEqual({
    ID: 'debian',
    PRETTY_NAME: 'Debian GNU/Linux 12 (bookworm)',
  })
})

it.each([
  [{ ID: 'debian' }, true],
  [{ ID: 'ubuntu', ID_LIKE: 'debian' }, true],
  [{ ID: 'linuxmint', ID_LIKE: 'ubuntu debian' }, true],
  [{ ID: 'fedora' }, false],
  [{ ID: 'opensuse-tumbleweed', ID_LIKE: 'opensuse suse' }, false],
  [{}, false],
])('%j installs with apt: %j', (release, expected) => {
  expect(usesApt(release)).toBe(expected)
})
