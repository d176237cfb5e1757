// node:os, and the navigator.
const [sysname, nodename, release, version, machine] = native.uname();
const cores = () => native.cores();

Object.assign(exports, {
  EOL: '\n', devNull: '/dev/null',
  arch: () => process.arch, platform: () => process.platform, type: () => sysname, release: () => release,
  version: () => version, machine: () => machine, hostname: () => nodename, endianness: () => 'LE',
  availableParallelism: cores,
  cpus: () => Array.from({ length: cores() }, () => ({ model: machine, speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } })),
  totalmem: () => native.memory()[0], freemem: () => native.memory()[1],
  tmpdir: () => native.temporary().replace(/(.)\/$/, '$1'), homedir: () => native.home() ?? '/',
  uptime: () => native.uptime(), loadavg: () => [0, 0, 0], networkInterfaces: () => ({}),
  userInfo: () => ({ uid: process.getuid(), gid: process.getgid(), username: process.env.USER ?? 'root', homedir: native.home() ?? '/', shell: process.env.SHELL ?? null }),
  getPriority: () => 0, setPriority() {},
  constants: { signals: { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 }, errno: {}, priority: {} },
});
class Navigator {
  get hardwareConcurrency() {
    return cores();
  }
  get userAgent() {
    return `Tombolo/${native.version()}`;
  }
  get language() {
    return 'en-US';
  }
  get languages() {
    return ['en-US'];
  }
  get platform() {
    return `${sysname} ${machine}`;
  }
}
Object.defineProperty(Navigator.prototype, Symbol.toStringTag, { value: 'Navigator', configurable: true });
Object.defineProperty(exports, 'navigator', { value: new Navigator(), enumerable: false });
