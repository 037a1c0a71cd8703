/**
 * Names of well-known ports: what the system's /etc/services says, and without it the services that a desktop meets.
 */
import { parseNameFile, readSystemFile } from './name-file'

export type ServiceProtocol = 'TCP' | 'UDP' | 'SCTP'

/** For systems without /etc/services, and for what Debian's leaves out (IANA, Service Name and Port Number Registry). */
const commonServices = `
ftp 21/tcp
ssh 22/tcp
smtp 25/tcp
domain 53/tcp
domain 53/udp
bootps 67/udp
bootpc 68/udp
http 80/tcp
http 80/udp
ntp 123/udp
imap2 143/tcp
https 443/tcp
https 443/udp
submissions 465/tcp
submission 587/tcp
ipp 631/tcp
ipp 631/udp
domain-s 853/tcp
domain-s 853/udp
imaps 993/tcp
ms-sql-s 1433/tcp
ssdp 1900/udp
nfs 2049/tcp
mysql 3306/tcp
ms-wbt-server 3389/tcp
stun 3478/udp
stun 3478/tcp
ws-discovery 3702/udp
mdns 5353/udp
llmnr 5355/udp
llmnr 5355/tcp
postgresql 5432/tcp
redis 6379/tcp
http-alt 8080/tcp
wireguard 51820/udp
`

/** A map from `port/protocol` to the name; the first name of a port wins. */
export function parseServices(text: string): Map<string, string> {
  const services = new Map<string, string>()
  for (const { name, value } of parseNameFile(text)) if (!services.has(value)) services.set(value, name)
  return services
}

let services: Map<string, string> | null = null

/** The name of the service at `port`, `''` when it has none. */
export function serviceName(protocol: ServiceProtocol, port: number): string {
  services ??= parseServices(`${readSystemFile('/etc/services')}\n${commonServices}`)
  return services.get(`${port}/${protocol.toLowerCase()}`) ?? ''
}
