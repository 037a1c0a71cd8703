/**
 * Names of the scripted Internet, so that the demo asks no real name server.
 */
import { isIP } from 'node:net'
import { fail, succeed, type Outcome } from '../shared/errors'
import { scriptedHosts, scriptedReverseNames } from './scripted-paths'

/** As the real look-up of sources/host-addresses.ts. */
export function scriptedHostAddress(
  host: string,
  family: 'any' | 4 | 6,
): Promise<Outcome<{ address: string; interface: string }>> {
  const wanted = host.trim().toLowerCase()
  const found = isIP(wanted) === 0 ? scriptedHosts[wanted] : [wanted]
  if (found === undefined) {
    const known = Object.keys(scriptedHosts).join(', ')
    return Promise.resolve(fail('unknownHost', `The demo does not know the host ${host}.`, `Try one of: ${known}.`))
  }
  const address = found.find((candidate) => family === 'any' || isIP(candidate) === family)
  return Promise.resolve(
    address === undefined
      ? fail('unknownHost', `The host ${host} has no IPv${family} address.`, 'Allow both families.')
      : succeed({ address, interface: '' }),
  )
}

/** Rejects for addresses without a name, as a resolver does. */
export function scriptedReverse(address: string): Promise<string[]> {
  const name = scriptedReverseNames[address]
  return name === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve([name])
}
