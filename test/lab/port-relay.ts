import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Host } from './host'
import type { Lab } from './lab'
import { paths } from './paths'

let relayCount = 0

export interface PortRelay {
  /** Port on this side's loopback. */
  port: number
  close(): Promise<void>
}

/** Makes a TCP port on a host's loopback reachable from here. */
export async function relayPort(lab: Lab, host: Host, hostPort: number): Promise<PortRelay> {
  relayCount += 1
  const path = join(lab.directory, `relay-${relayCount}`)
  const relay = host.spawn('node', [paths.relay, path, String(hostPort)])
  await relay.waitFor('the relay', (line) => line === 'listening' || undefined)

  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const target = connect(path)
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => sockets.delete(from))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await relay.kill()
    },
  }
}
