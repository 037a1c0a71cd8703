// namespace-relay.mjs SOCKET PORT: run inside a network namespace, it passes connections from a Unix socket, which every
// namespace can reach, to a TCP port on the namespace's own loopback.
import { connect, createServer } from 'node:net'

const [socket, port] = process.argv.slice(2)

const server = createServer((client) => {
  const target = connect(Number(port), '127.0.0.1')
  for (const [from, to] of [
    [client, target],
    [target, client],
  ]) {
    from.pipe(to)
    from.on('error', () => to.destroy())
  }
})
server.listen(socket, () => console.log('listening'))
