/**
 * What a host name stands for, through the system's own resolver, as every program of the user would be told.
 */
import { lookup } from 'node:dns/promises'
import { isIP, SocketAddress } from 'node:net'
import { fail, succeed, type Outcome } from '../shared/errors'

export interface HostAddress {
  /** As the helper writes addresses (RFC 5952). */
  address: string
  /** The interface of a link-local address (`fe80::1%eth0`), `''` none. */
  interface: string
}

type Lookup = (host: string, family: 0 | 4 | 6) => Promise<string>

const systemLookup: Lookup = async (host, family) => (await lookup(host, { family, verbatim: true })).address

/** The address to use for a name or an address of the wanted family; the first that the system prefers. */
export async function hostAddress(
  host: string,
  family: 'any' | 4 | 6,
  find: Lookup = systemLookup,
): Promise<Outcome<HostAddress>> {
  const wanted = host.trim().replace(/^\[(.*)\]$/, '$1')
  const [bare = '', zone = ''] = wanted.split('%')
  const literal = isIP(bare)
  if (literal !== 0) {
    if (family !== 'any' && family !== literal) {
      return fail('wrongFamily', `${wanted} is no IPv${family} address.`, `Use IPv${literal}.`)
    }
    return succeed({ address: canonical(bare), interface: zone })
  }
  try {
    return succeed({ address: canonical(await find(wanted, family === 'any' ? 0 : family)), interface: '' })
  } catch (error) {
    return failureOf(wanted, family, error)
  }
}

function canonical(address: string): string {
  return isIP(address) === 6 ? new SocketAddress({ address, family: 'ipv6' }).address : address
}

function failureOf(host: string, family: 'any' | 4 | 6, error: unknown): Outcome<never> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOTFOUND' || code === 'ENODATA') {
    return family === 'any'
      ? fail('unknownHost', `The host ${host} is unknown.`, 'Check its spelling, and that names can be looked up.')
      : fail(
          'unknownHost',
          `The host ${host} has no IPv${family} address.`,
          'Check its spelling, or allow both families.',
        )
  }
  if (code === 'EAI_AGAIN') {
    return fail(
      'noNameServer',
      `No name server answers to say what ${host} is.`,
      'Give an address, or check the network.',
    )
  }
  return fail('unknownHost', `The host ${host} cannot be looked up (${code || 'unknown reason'}).`, 'Give an address.')
}
