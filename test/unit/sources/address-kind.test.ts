import { describe, expect, it } from 'vitest'
import { addressKind } from '../../../electron/sources/address-kind'

describe('kinds of addresses', () => {
  it.each([
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'reserved'],
    ['9.255.255.255', 'public'],
    ['10.0.0.0', 'private'],
    ['10.255.255.255', 'private'],
    ['11.0.0.0', 'public'],
    ['100.63.255.255', 'public'],
    ['100.64.0.0', 'cgnat'],
    ['100.127.255.255', 'cgnat'],
    ['100.128.0.0', 'public'],
    ['127.0.0.53', 'loopback'],
    ['169.254.1.1', 'linkLocal'],
    ['172.15.255.255', 'public'],
    ['172.31.255.255', 'private'],
    ['172.32.0.0', 'public'],
    ['192.0.0.1', 'reserved'],
    ['192.0.0.9', 'public'],
    ['192.0.2.1', 'documentation'],
    ['192.168.178.1', 'private'],
    ['198.19.255.255', 'reserved'],
    ['198.51.100.7', 'documentation'],
    ['203.0.113.255', 'documentation'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['fe80::1%eth0', 'linkLocal'],
    ['fd12::1', 'uniqueLocal'],
    ['ff02::1', 'multicast'],
    ['2001:db8::1', 'documentation'],
    ['3fff:fff::1', 'documentation'],
    ['2001:2::1', 'reserved'],
    ['2606:4700::1', 'public'],
    ['4000::1', 'reserved'],
    ['64:ff9b::808:808', 'public'],
    ['::ffff:10.1.2.3', 'private'],
    ['example.org', 'reserved'],
  ] as const)('%s is %s', (address, kind) => {
    expect(addressKind(address)).toBe(kind)
  })
})
