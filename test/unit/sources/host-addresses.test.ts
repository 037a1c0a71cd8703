import { describe, expect, it, vi } from 'vitest'
import { hostAddress } from '../../../electron/sources/host-addresses'

const refuse = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }))
const unused = () => Promise.reject(new Error('A name server was asked.'))

describe('what a host stands for', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', ''],
    [' 2001:DB8:0:0::1 ', '2001:db8::1', ''],
    ['[2001:db8::1]', '2001:db8::1', ''],
    ['fe80::1%eth0', 'fe80::1', 'eth0'],
  ])('%j is itself, as the helper writes it', async (host, address, zone) => {
    expect(await hostAddress(host, 'any', unused)).toEqual({ ok: true, value: { address, interface: zone } })
  })

  it('asks for the wanted family', async () => {
    const find = vi.fn((_: string, family: 0 | 4 | 6) => Promise.resolve(family === 6 ? '2001:DB8::9' : '192.0.2.9'))
    expect(await hostAddress('host.example', 6, find)).toMatchObject({ value: { address: '2001:db8::9' } })
    expect(await hostAddress('host.example', 'any', find)).toMatchObject({ value: { address: '192.0.2.9' } })
    expect(find.mock.calls.map(([, family]) => family)).toEqual([6, 0])
  })

  it.each([
    ['192.0.2.1', 6, unused, 'wrongFamily', '192.0.2.1 is no IPv6 address.'],
    ['host.example', 'any', refuse('ENOTFOUND'), 'unknownHost', 'The host host.example is unknown.'],
    ['host.example', 6, refuse('ENODATA'), 'unknownHost', 'The host host.example has no IPv6 address.'],
    ['host.example', 'any', refuse('EAI_AGAIN'), 'noNameServer', 'No name server answers to say what host.example is.'],
    ['host.example', 'any', refuse('EIO'), 'unknownHost', 'The host host.example cannot be looked up (EIO).'],
  ] as const)('says what is wrong with %s, family %s', async (host, family, find, code, message) => {
    expect(await hostAddress(host, family, find)).toMatchObject({ ok: false, failure: { code, message } })
  })

  it('knows the names of this machine', async () => {
    const found = await hostAddress('localhost', 'any')
    expect(['127.0.0.1', '::1']).toContain(found.ok && found.value.address)
  })
})
