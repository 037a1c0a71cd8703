import { describe, expect, it } from 'vitest'
import { parseNameFile } from '../../../electron/sources/name-file'
import { etherTypeName, protocolName } from '../../../electron/sources/protocols'
import { parseServices, serviceName } from '../../../electron/sources/services'

describe('parseNameFile', () => {
  it('reads names and values, and passes over comments and nonsense', () => {
    const text = '# head\n\nssh\t\t22/tcp\t\t# Secure shell\n  domain 53/udp nameserver\nlonely\n#off 1/tcp\n'
    expect(parseNameFile(text)).toEqual([
      { name: 'ssh', value: '22/tcp' },
      { name: 'domain', value: '53/udp' },
    ])
  })
})

describe('services', () => {
  it('keep the first name of a port, per protocol', () => {
    const services = parseServices('http 80/tcp www\nwww-again 80/tcp\nquic 80/udp')
    expect([...services]).toEqual([
      ['80/tcp', 'http'],
      ['80/udp', 'quic'],
    ])
  })

  it('are known for what a desktop meets, with or without /etc/services', () => {
    expect(serviceName('TCP', 443)).toBe('https')
    expect(serviceName('UDP', 53)).toBe('domain')
    expect(serviceName('UDP', 51820)).toBe('wireguard')
    expect(serviceName('SCTP', 65_001)).toBe('')
  })
})

describe('protocols', () => {
  it('have names', () => {
    expect(protocolName(132)).toBe('SCTP')
    expect(protocolName(200)).toBe('')
    expect(etherTypeName(0x0806)).toBe('ARP')
    expect(etherTypeName(0x88cc)).toBe('LLDP')
    expect(etherTypeName(0x1234)).toBe('')
  })
})
