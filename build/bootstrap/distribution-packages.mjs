/**
 * What Netloupe needs from the distribution, as data.
 *
 * `names`: the Debian package; where the name changed (Debian 13 and Ubuntu 24.04 renamed libraries for 64-bit time),
 * every name, the newest first. The probe answers the question on distributions whose package names are not known here:
 * `program` on the PATH, `library` that the loader knows, `module` of pkg-config, or `file`.
 */
const entry = (names, probe) => ({ names: [names].flat(), ...probe })

export const groups = {
  /** To build the helper. */
  build: [
    entry('g++', { program: 'g++' }),
    entry('make', { program: 'make' }),
    entry('pkg-config', { program: 'pkg-config' }),
    entry('nlohmann-json3-dev', { file: '/usr/include/nlohmann/json.hpp' }),
    entry('libpcap-dev', { module: 'libpcap' }),
    entry('libmnl-dev', { module: 'libmnl' }),
    entry('libcap-dev', { module: 'libcap' }),
    entry('libseccomp-dev', { module: 'libseccomp' }),
    entry('libcap2-bin', { program: 'setcap' }),
  ],

  /** What Electron loads to show a window. */
  display: [
    entry(['libgtk-3-0t64', 'libgtk-3-0'], { library: 'libgtk-3.so.0' }),
    entry('libnss3', { library: 'libnss3.so' }),
    entry(['libasound2t64', 'libasound2'], { library: 'libasound.so.2' }),
    entry('libgbm1', { library: 'libgbm.so.1' }),
    entry('libnotify4', { library: 'libnotify.so.4' }),
    entry('libx11-xcb1', { library: 'libX11-xcb.so.1' }),
    entry('libxss1', { library: 'libXss.so.1' }),
    entry('libxtst6', { library: 'libXtst.so.6' }),
    entry('libsecret-1-0', { library: 'libsecret-1.so.0' }),
    entry(['libatspi2.0-0t64', 'libatspi2.0-0'], { library: 'libatspi.so.0' }),
    entry('dbus', { program: 'dbus-daemon' }),
  ],

  /** Namespaces, traffic and independent measurements for the tests, and a display where there is none. */
  test: [
    entry('doctest-dev', { file: '/usr/include/doctest/doctest.h' }),
    entry('xvfb', { program: 'Xvfb' }),
    entry('xauth', { program: 'xauth' }),
    entry('dbus-x11', { program: 'dbus-launch' }),
    entry('iproute2', { program: 'ip' }),
    entry('nftables', { program: 'nft' }),
    entry('socat', { program: 'socat' }),
    entry('tcpdump', { program: 'tcpdump' }),
    entry('tshark', { program: 'tshark' }),
    entry('procps', { program: 'sysctl' }),
    entry('util-linux', { program: 'setpriv' }),
    entry('passwd', { program: 'useradd' }),
    entry('traceroute', { program: 'traceroute' }),
    entry('mtr-tiny', { program: 'mtr' }),
  ],

  /** What the benchmark compares with, and its generator's surroundings. */
  bench: [
    entry('iproute2', { program: 'ip' }),
    entry('nethogs', { program: 'nethogs' }),
    entry('tcpdump', { program: 'tcpdump' }),
    entry('xvfb', { program: 'Xvfb' }),
    entry('xauth', { program: 'xauth' }),
    entry('dbus-x11', { program: 'dbus-launch' }),
  ],
}
