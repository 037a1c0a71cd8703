/**
 * Who lives on the demo's machine: processes, their habits, and the bytes that belong to nobody. Addresses are those set
 * aside for documentation (RFC 5737, RFC 3849), names are of common programs.
 */
import type { HelperInterface } from '../shared/helper-messages'
import type { Reason } from '../shared/words'

/**
 * How a flow moves bytes over time: evenly; in the bursts of a buffered stream; rarely but heavily, as a page that is
 * opened; in small messages; hardly at all; or a download that starts every minute.
 */
export type Rhythm = 'steady' | 'stream' | 'page' | 'chatter' | 'keepalive' | 'spike'

export interface Habit {
  protocol: 'tcp' | 'udp' | 'icmp' | 'icmpv6'
  port: number
  /** Flows of this kind at once. */
  flows: number
  rhythm: Rhythm
  /** Bytes per second of one flow while it is busy. */
  rxRate: number
  txRate: number
  ipv6?: true
  /** The other side opened the flow, and `port` is ours. */
  served?: true
  interface?: 'wlp2s0' | 'wg0' | 'lo'
  /** Mean time until a flow ends and another takes its place, seconds; absent: it stays. */
  lifetimeS?: number
}

export interface Resident {
  name: string
  exe: string
  commandLine: string
  user:
    'ada' | 'root' | 'systemd-resolve' | 'systemd-timesync' | 'avahi' | 'postgres' | 'www-data' | 'debian-transmission'
  parent?: string
  habits: Habit[]
}

export const interfaces: readonly HelperInterface[] = [
  {
    id: 1,
    index: 3,
    name: 'wlp2s0',
    linkType: 'ethernet',
    state: 'capturing',
    loopback: false,
    linkLayerAddress: '02:00:5e:10:42:07',
    mtu: 1500,
    addresses: [
      { address: '192.0.2.23', prefixLength: 24, scope: 'global' },
      { address: '2001:db8:40::23', prefixLength: 64, scope: 'global' },
      { address: 'fe80::5eff:fe10:4207', prefixLength: 64, scope: 'link' },
    ],
  },
  {
    id: 2,
    index: 5,
    name: 'wg0',
    linkType: 'raw',
    state: 'capturing',
    loopback: false,
    linkLayerAddress: '',
    mtu: 1420,
    addresses: [{ address: '203.0.113.194', prefixLength: 26, scope: 'global' }],
  },
  {
    id: 3,
    index: 1,
    name: 'lo',
    linkType: 'ethernet',
    state: 'capturing',
    loopback: true,
    linkLayerAddress: '00:00:00:00:00:00',
    mtu: 65536,
    addresses: [
      { address: '127.0.0.1', prefixLength: 8, scope: 'host' },
      { address: '::1', prefixLength: 128, scope: 'host' },
    ],
  },
]

const uids: Record<Resident['user'], number> = {
  root: 0,
  ada: 1000,
  'systemd-resolve': 991,
  'systemd-timesync': 992,
  avahi: 108,
  postgres: 112,
  'www-data': 33,
  'debian-transmission': 115,
}

export function uidOf(user: Resident['user']): number {
  return uids[user]
}

const web = (flows: number, rxRate = 180_000): Habit => ({
  protocol: 'tcp',
  port: 443,
  flows,
  rhythm: 'page',
  rxRate,
  txRate: rxRate / 18,
  lifetimeS: 90,
})
const quic = (flows: number, rxRate = 160_000): Habit => ({
  protocol: 'udp',
  port: 443,
  flows,
  rhythm: 'page',
  rxRate,
  txRate: rxRate / 22,
  ipv6: true,
  lifetimeS: 70,
})
const push = (flows = 1, port = 443): Habit => ({
  protocol: 'tcp',
  port,
  flows,
  rhythm: 'keepalive',
  rxRate: 120,
  txRate: 90,
})
const loopback = (port: number, flows: number, rate: number): Habit => ({
  protocol: 'tcp',
  port,
  flows,
  rhythm: 'chatter',
  rxRate: rate,
  txRate: rate,
  interface: 'lo',
})

export const residents: readonly Resident[] = [
  {
    name: 'firefox',
    exe: '/usr/lib/firefox/firefox',
    commandLine: '/usr/lib/firefox/firefox --new-window',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [web(46), quic(18), { ...web(1), rhythm: 'stream', rxRate: 1_150_000, txRate: 24_000, ipv6: true }],
  },
  {
    name: 'chromium',
    exe: '/usr/lib/chromium/chromium',
    commandLine: '/usr/lib/chromium/chromium --type=utility --utility-sub-type=network.mojom.NetworkService',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [web(28, 90_000), quic(14, 120_000)],
  },
  {
    name: 'transmission-da',
    exe: '/usr/bin/transmission-daemon',
    commandLine: '/usr/bin/transmission-daemon -f --log-error',
    user: 'debian-transmission',
    parent: 'systemd',
    habits: [
      { protocol: 'tcp', port: 51413, flows: 58, rhythm: 'chatter', rxRate: 21_000, txRate: 9000, lifetimeS: 120 },
      { protocol: 'udp', port: 6881, flows: 74, rhythm: 'chatter', rxRate: 900, txRate: 700, lifetimeS: 40 },
      { protocol: 'tcp', port: 51413, flows: 18, rhythm: 'steady', rxRate: 14_000, txRate: 31_000, ipv6: true },
    ],
  },
  {
    name: 'spotify',
    exe: '/usr/share/spotify/spotify',
    commandLine: '/usr/share/spotify/spotify --uri=%U',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [{ ...web(1), rhythm: 'stream', rxRate: 160_000, txRate: 3500 }, push(3, 4070), web(3, 30_000)],
  },
  {
    name: 'zoom',
    exe: '/opt/zoom/zoom',
    commandLine: '/opt/zoom/zoom',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [{ protocol: 'udp', port: 8801, flows: 3, rhythm: 'steady', rxRate: 210_000, txRate: 165_000 }, push(2)],
  },
  {
    name: 'rsync',
    exe: '/usr/bin/rsync',
    commandLine: 'rsync -a --delete /home/ada/ backup.example:/srv/backup/ada/',
    user: 'ada',
    parent: 'bash',
    habits: [{ protocol: 'tcp', port: 22, flows: 1, rhythm: 'spike', rxRate: 26_000, txRate: 4_200_000 }],
  },
  {
    name: 'syncthing',
    exe: '/usr/bin/syncthing',
    commandLine: '/usr/bin/syncthing serve --no-browser',
    user: 'ada',
    parent: 'systemd',
    habits: [
      { protocol: 'tcp', port: 22000, flows: 4, rhythm: 'chatter', rxRate: 30_000, txRate: 44_000 },
      { protocol: 'udp', port: 22000, flows: 3, rhythm: 'chatter', rxRate: 8000, txRate: 12_000, ipv6: true },
      { protocol: 'udp', port: 21027, flows: 1, rhythm: 'keepalive', rxRate: 0, txRate: 250 },
    ],
  },
  {
    name: 'slack',
    exe: '/usr/lib/slack/slack',
    commandLine: '/usr/lib/slack/slack --type=utility',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [{ ...push(2), rhythm: 'chatter', rxRate: 2600, txRate: 900 }, web(4, 40_000)],
  },
  {
    name: 'Discord',
    exe: '/usr/share/discord/Discord',
    commandLine: '/usr/share/discord/Discord --type=utility',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [
      { protocol: 'udp', port: 50004, flows: 1, rhythm: 'steady', rxRate: 11_000, txRate: 9500 },
      { ...push(2), rhythm: 'chatter', rxRate: 1800, txRate: 500 },
      web(3, 25_000),
    ],
  },
  {
    name: 'thunderbird',
    exe: '/usr/lib/thunderbird/thunderbird',
    commandLine: '/usr/lib/thunderbird/thunderbird',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [push(4, 993), { ...web(2, 60_000), port: 993, rhythm: 'spike' }],
  },
  {
    name: 'code',
    exe: '/usr/share/code/code',
    commandLine: '/usr/share/code/code --type=utility --utility-sub-type=node.mojom.NodeService',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [web(6, 20_000), push(2)],
  },
  {
    name: 'steam',
    exe: '/home/ada/.local/share/Steam/ubuntu12_32/steam',
    commandLine: '/home/ada/.local/share/Steam/ubuntu12_32/steam -silent',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [
      { ...web(8, 700_000), rhythm: 'spike', lifetimeS: 300 },
      { protocol: 'udp', port: 27020, flows: 3, rhythm: 'chatter', rxRate: 700, txRate: 600 },
    ],
  },
  {
    name: 'signal-desktop',
    exe: '/opt/Signal/signal-desktop',
    commandLine: '/opt/Signal/signal-desktop',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [{ ...push(2), rhythm: 'chatter', rxRate: 900, txRate: 650 }],
  },
  {
    name: 'telegram-deskto',
    exe: '/usr/bin/telegram-desktop',
    commandLine: '/usr/bin/telegram-desktop',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [{ ...push(3), rhythm: 'chatter', rxRate: 1500, txRate: 800, ipv6: true }],
  },
  {
    name: 'nextcloud',
    exe: '/usr/bin/nextcloud',
    commandLine: '/usr/bin/nextcloud --background',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [web(3, 15_000), { ...push(1), interface: 'wg0' }],
  },
  {
    name: 'ssh',
    exe: '/usr/bin/ssh',
    commandLine: 'ssh build.example',
    user: 'ada',
    parent: 'bash',
    habits: [{ protocol: 'tcp', port: 22, flows: 1, rhythm: 'chatter', rxRate: 2800, txRate: 700, interface: 'wg0' }],
  },
  {
    name: 'git',
    exe: '/usr/lib/git-core/git-remote-https',
    commandLine: '/usr/lib/git-core/git-remote-https origin https://git.example/team/project.git',
    user: 'ada',
    parent: 'bash',
    habits: [{ ...web(1, 380_000), rhythm: 'spike', lifetimeS: 30 }],
  },
  {
    name: 'curl',
    exe: '/usr/bin/curl',
    commandLine: 'curl -LO https://download.example/debian-13.2.0-amd64-netinst.iso',
    user: 'ada',
    parent: 'bash',
    habits: [{ ...web(1), rhythm: 'steady', rxRate: 2_400_000, txRate: 38_000, ipv6: true, lifetimeS: 600 }],
  },
  {
    name: 'mpv',
    exe: '/usr/bin/mpv',
    commandLine: 'mpv https://radio.example/stream.ogg',
    user: 'ada',
    parent: 'bash',
    habits: [{ ...web(1), rhythm: 'stream', rxRate: 36_000, txRate: 700 }],
  },
  {
    name: 'ping',
    exe: '/usr/bin/ping',
    commandLine: 'ping -6 gateway.example',
    user: 'ada',
    parent: 'bash',
    habits: [{ protocol: 'icmpv6', port: 0, flows: 1, rhythm: 'steady', rxRate: 118, txRate: 118, ipv6: true }],
  },
  {
    name: 'ping',
    exe: '/usr/bin/ping',
    commandLine: 'ping 198.51.100.1',
    user: 'ada',
    parent: 'bash',
    habits: [{ protocol: 'icmp', port: 0, flows: 1, rhythm: 'steady', rxRate: 98, txRate: 98 }],
  },
  {
    name: 'systemd-resolve',
    exe: '/usr/lib/systemd/systemd-resolved',
    commandLine: '/usr/lib/systemd/systemd-resolved',
    user: 'systemd-resolve',
    parent: 'systemd',
    habits: [{ protocol: 'udp', port: 53, flows: 14, rhythm: 'chatter', rxRate: 420, txRate: 160, lifetimeS: 8 }],
  },
  {
    name: 'systemd-timesyn',
    exe: '/usr/lib/systemd/systemd-timesyncd',
    commandLine: '/usr/lib/systemd/systemd-timesyncd',
    user: 'systemd-timesync',
    parent: 'systemd',
    habits: [{ protocol: 'udp', port: 123, flows: 1, rhythm: 'keepalive', rxRate: 90, txRate: 90 }],
  },
  {
    name: 'avahi-daemon',
    exe: '/usr/sbin/avahi-daemon',
    commandLine: 'avahi-daemon: running [desk.local]',
    user: 'avahi',
    parent: 'systemd',
    habits: [{ protocol: 'udp', port: 5353, flows: 4, rhythm: 'chatter', rxRate: 340, txRate: 120 }],
  },
  {
    name: 'NetworkManager',
    exe: '/usr/sbin/NetworkManager',
    commandLine: '/usr/sbin/NetworkManager --no-daemon',
    user: 'root',
    parent: 'systemd',
    habits: [{ ...web(1, 300), port: 80, lifetimeS: 20 }],
  },
  {
    name: 'tailscaled',
    exe: '/usr/sbin/tailscaled',
    commandLine: '/usr/sbin/tailscaled --port=41641',
    user: 'root',
    parent: 'systemd',
    habits: [
      { protocol: 'udp', port: 41641, flows: 5, rhythm: 'keepalive', rxRate: 160, txRate: 160, served: true },
      push(2),
    ],
  },
  {
    name: 'sshd',
    exe: '/usr/sbin/sshd',
    commandLine: 'sshd: ada [priv]',
    user: 'root',
    parent: 'systemd',
    habits: [{ protocol: 'tcp', port: 22, flows: 2, rhythm: 'chatter', rxRate: 900, txRate: 3400, served: true }],
  },
  {
    name: 'nginx',
    exe: '/usr/sbin/nginx',
    commandLine: 'nginx: worker process',
    user: 'www-data',
    parent: 'systemd',
    habits: [
      { ...web(22, 9000), rxRate: 1400, txRate: 26_000, served: true, lifetimeS: 25 },
      { ...web(6, 9000), rxRate: 900, txRate: 17_000, served: true, ipv6: true, lifetimeS: 25 },
    ],
  },
  {
    name: 'postgres',
    exe: '/usr/lib/postgresql/17/bin/postgres',
    commandLine: 'postgres: 17/main: app app 127.0.0.1(41822) idle',
    user: 'postgres',
    parent: 'systemd',
    habits: [
      {
        protocol: 'tcp',
        port: 5432,
        flows: 4,
        rhythm: 'chatter',
        rxRate: 900,
        txRate: 5200,
        served: true,
        interface: 'wg0',
      },
      { ...loopback(5432, 8, 4200), served: true },
    ],
  },
  {
    name: 'node',
    exe: '/usr/bin/node',
    commandLine: 'node server.js',
    user: 'ada',
    parent: 'bash',
    habits: [loopback(5432, 8, 3900), loopback(6379, 3, 1500), web(5, 14_000)],
  },
  {
    name: 'redis-server',
    exe: '/usr/bin/redis-server',
    commandLine: '/usr/bin/redis-server 127.0.0.1:6379',
    user: 'root',
    parent: 'systemd',
    habits: [{ ...loopback(6379, 3, 1500), served: true }, push(1, 6379)],
  },
  {
    name: 'python3',
    exe: '/usr/bin/python3.13',
    commandLine: 'python3 -m scraper --parallel 24',
    user: 'ada',
    parent: 'bash',
    habits: [{ ...web(24, 18_000), rhythm: 'chatter', lifetimeS: 12 }],
  },
  {
    name: 'dockerd',
    exe: '/usr/bin/dockerd',
    commandLine: '/usr/bin/dockerd -H fd://',
    user: 'root',
    parent: 'systemd',
    habits: [{ ...web(3, 900_000), rhythm: 'spike', lifetimeS: 120 }],
  },
  {
    name: 'packagekitd',
    exe: '/usr/libexec/packagekitd',
    commandLine: '/usr/libexec/packagekitd',
    user: 'root',
    parent: 'systemd',
    habits: [{ ...web(2, 450_000), port: 80, rhythm: 'spike', lifetimeS: 90 }],
  },
  {
    name: 'gnome-software',
    exe: '/usr/bin/gnome-software',
    commandLine: '/usr/bin/gnome-software --gapplication-service',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [web(3, 22_000)],
  },
  {
    name: 'gvfsd-smb',
    exe: '/usr/libexec/gvfsd-smb',
    commandLine: '/usr/libexec/gvfsd-smb --spawner :1.7',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [{ protocol: 'tcp', port: 445, flows: 1, rhythm: 'spike', rxRate: 1_300_000, txRate: 40_000 }],
  },
  {
    name: 'kdeconnectd',
    exe: '/usr/libexec/kdeconnectd',
    commandLine: '/usr/libexec/kdeconnectd',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [{ protocol: 'tcp', port: 1716, flows: 1, rhythm: 'keepalive', rxRate: 140, txRate: 140, served: true }],
  },
  {
    name: 'cups-browsed',
    exe: '/usr/sbin/cups-browsed',
    commandLine: '/usr/sbin/cups-browsed',
    user: 'root',
    parent: 'systemd',
    habits: [{ protocol: 'tcp', port: 631, flows: 1, rhythm: 'keepalive', rxRate: 210, txRate: 160 }],
  },
  {
    name: 'evolution-calen',
    exe: '/usr/libexec/evolution-calendar-factory',
    commandLine: '/usr/libexec/evolution-calendar-factory',
    user: 'ada',
    parent: 'gnome-shell',
    habits: [web(2, 12_000)],
  },
  {
    name: 'snapd',
    exe: '/usr/lib/snapd/snapd',
    commandLine: '/usr/lib/snapd/snapd',
    user: 'root',
    parent: 'systemd',
    habits: [{ ...web(1, 30_000), lifetimeS: 45 }],
  },
  {
    name: 'gnome-shell',
    exe: '/usr/bin/gnome-shell',
    commandLine: '/usr/bin/gnome-shell',
    user: 'ada',
    parent: 'systemd',
    habits: [{ ...web(1, 2000), lifetimeS: 40 }],
  },
]

/** Parents of the residents that use no network themselves. */
export const bystanders: readonly Omit<Resident, 'habits'>[] = [
  { name: 'systemd', exe: '/usr/lib/systemd/systemd', commandLine: '/sbin/init splash', user: 'root' },
  { name: 'bash', exe: '/usr/bin/bash', commandLine: '-bash', user: 'ada', parent: 'systemd' },
]

/** Traffic without an owner. */
export interface Orphan extends Habit {
  reason: Reason
  /** Of a frame that is not IP. */
  etherType?: number
}

export const orphans: readonly Orphan[] = [
  {
    reason: 'kernel',
    etherType: 0x0806,
    protocol: 'udp',
    port: 0,
    flows: 3,
    rhythm: 'chatter',
    rxRate: 60,
    txRate: 42,
  },
  { reason: 'kernel', protocol: 'icmpv6', port: 0, flows: 4, rhythm: 'chatter', rxRate: 86, txRate: 86, ipv6: true },
  {
    reason: 'kernel',
    etherType: 0x88cc,
    protocol: 'udp',
    port: 0,
    flows: 1,
    rhythm: 'keepalive',
    rxRate: 220,
    txRate: 0,
  },
  { reason: 'forwarded', protocol: 'tcp', port: 443, flows: 6, rhythm: 'page', rxRate: 24_000, txRate: 2100 },
  { reason: 'otherNamespace', protocol: 'tcp', port: 5432, flows: 5, rhythm: 'chatter', rxRate: 5200, txRate: 1900 },
  {
    reason: 'socketGone',
    protocol: 'udp',
    port: 53,
    flows: 9,
    rhythm: 'chatter',
    rxRate: 260,
    txRate: 90,
    lifetimeS: 4,
  },
  { reason: 'notLocal', protocol: 'udp', port: 1900, flows: 4, rhythm: 'chatter', rxRate: 410, txRate: 0 },
  {
    reason: 'noSocket',
    protocol: 'tcp',
    port: 23,
    flows: 6,
    rhythm: 'keepalive',
    rxRate: 60,
    txRate: 54,
    served: true,
    lifetimeS: 15,
  },
  { reason: 'fragment', protocol: 'udp', port: 0, flows: 1, rhythm: 'keepalive', rxRate: 1480, txRate: 0 },
]
