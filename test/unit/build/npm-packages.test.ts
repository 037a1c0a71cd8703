import { expect, it } from 'vitest'
import { isInstalled } from '../../../build/bootstrap/npm-packages.mjs'

const wanted = {
  '': { version: '0.1.0' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/for-another-platform': { version: '1.0.0', integrity: 'sha512-b', optional: true },
}

it('takes what is there, platform-bound packages aside', () => {
  expect(isInstalled(wanted, { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } })).toBe(true)
})

it.each([
  ['nothing was installed', null],
  ['a package is missing', {}],
  ['a package is older', { 'node_modules/a': { version: '0.9.0', integrity: 'sha512-a' } }],
  ['a package is another one', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }],
])('asks for an installation when %s', (_, installed) => {
  expect(isInstalled(wanted, installed)).toBe(false)
})
