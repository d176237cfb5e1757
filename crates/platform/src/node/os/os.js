// node:os, and the navigator.
/**
 * What Rust provides.
 * @type {{
 *   cores(): number,
 *   uname(): string[],
 *   memory(): number[],
 *   temporary(): string,
 *   home(): string | undefined,
 *   version(): string,
 *   uptime(): number,
 * }}
 */
const native = rust;
const { 0: sysname, 1: nodename, 2: release, 3: version, 4: machine } = native.uname();
const processOf = () => require('process').process;
const cores = () => native.cores();

Object.assign(exports, {
  EOL: '\n', devNull: '/dev/null',
  arch: () => processOf().arch, platform: () => processOf().platform, type: () => sysname, release: () => release,
  version: () => version, machine: () => machine, hostname: () => nodename, endianness: () => 'LE',
  availableParallelism: cores,
  cpus: () => $.arrayFrom({ length: cores() }, () => ({
    model: machine, speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 },
  })),
  totalmem: () => native.memory()[0], freemem: () => native.memory()[1],
  tmpdir: () => $.replace(native.temporary(), $.regex(/(.)\/$/), '$1'), homedir: () => native.home() ?? '/',
  uptime: () => native.uptime(), loadavg: () => [0, 0, 0], networkInterfaces: () => ({}),
  userInfo: () => ({
    uid: processOf().getuid(), gid: processOf().getgid(), username: processOf().env.USER ?? 'root',
    homedir: native.home() ?? '/', shell: processOf().env.SHELL ?? null,
  }),
  getPriority: () => 0, setPriority() {},
  constants: { signals: { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 }, errno: {}, priority: {} },
});
class Navigator {
  get hardwareConcurrency() {
    return cores();
  }
  get userAgent() {
    return $.text`Tombolo/${native.version()}`;
  }
  get language() {
    return 'en-US';
  }
  get languages() {
    return ['en-US'];
  }
  get platform() {
    return $.text`${sysname} ${machine}`;
  }
}
Object.defineProperty(Navigator.prototype, Symbol.toStringTag, { value: 'Navigator', configurable: true });
Object.defineProperty(exports, 'navigator', { value: new Navigator(), enumerable: false });
