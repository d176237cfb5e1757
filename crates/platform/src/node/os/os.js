// node:os, and the navigator.
/**
 * What Rust provides.
 * @type {{
 *   cores(): number,
 *   uname(): string[],
 *   memory(): number[],
 *   check(what: string): void,
 *   home(): string | undefined,
 *   version(): string,
 *   uptime(): number,
 *   load(): number[],
 *   processors(): string[][],
 *   interfaces(): string[][],
 *   user(id: number): string[] | undefined,
 *   getPriority(id: number): [number, number],
 *   setPriority(id: number, priority: number): number,
 * }}
 */
const native = rust;
const { create } = require('errors');
const { validateInt32, validateOneOf } = require('validators');
const { 0: sysname, 1: nodename, 2: release, 3: version, 4: machine } = native.uname();
const processOf = () => require('process').process;
const cores = () => native.cores();

const systemError = (number, syscall) => {
  const { 0: code, 1: message } = require('errno').systemErrors().get(number) ?? ['UNKNOWN', 'unknown error'];
  const error = create('Error', 'ERR_SYSTEM_ERROR',
    $.text`A system error occurred: ${syscall} returned ${code} (${message})`);
  Object.defineProperty(error, 'name', { value: 'SystemError', writable: true, configurable: true });
  return Object.assign(error, { info: { errno: number, code, message, syscall }, errno: number, syscall });
};
// The number of bits that are set at the beginning of an address's mask.
const prefixOf = (mask) => {
  let count = 0;
  const isShort = $.includes(mask, '.');
  const parts = $.split(mask, isShort ? '.' : ':');
  for (const part of $.each(parts)) {
    for (let bits = parseInt(part || '0', isShort ? 10 : 16); bits > 0; bits &= bits - 1) count++;
  }
  return count;
};
const tags = {
  arch: () => processOf().arch, platform: () => processOf().platform, homedir: () => homedir(),
  hostname() {
    native.check('the name of this machine');
    return nodename;
  },
  endianness: () => 'LE', tmpdir: () => tmpdir(), type: () => sysname, release: () => release, version: () => version,
  machine: () => machine, uptime: () => native.uptime(), freemem: () => native.memory()[1],
  totalmem: () => native.memory()[0], availableParallelism: cores,
};
const homedir = () => processOf().env.HOME ?? native.user(processOf().getuid())?.[5] ?? native.home() ?? '/';
const tmpdir = () => {
  const { env } = processOf();
  const path = env.TMPDIR || env.TMP || env.TEMP || '/tmp';
  return path.length > 1 && $.endsWith(path, '/') ? $.slice(path, 0, -1) : path;
};
const named = (name, call) => {
  Object.defineProperty(call, 'name', { value: name, configurable: true });
  return call;
};
for (const name of $.each(Object.keys(tags))) {
  const call = tags[name];
  tags[name] = named($.text`get${$.toUpperCase(name[0])}${$.slice(name, 1)}`, () => call());
  Object.defineProperty(tags[name], Symbol.toPrimitive, { value: () => call(), configurable: true });
}
named('arch', tags.arch);
named('platform', tags.platform);
named('tmpdir', tags.tmpdir);
named('endianness', tags.endianness);

Object.assign(exports, {
  arch: tags.arch, availableParallelism: tags.availableParallelism,
  cpus: () => $.map(native.processors(), ({ 0: model, 1: speed, 2: user, 3: nice, 4: sys, 5: idle, 6: irq }) => ({
    model, speed: +speed, times: { user: +user, nice: +nice, sys: +sys, idle: +idle, irq: +irq },
  })),
  endianness: tags.endianness, freemem: tags.freemem,
  getPriority(pid = 0) {
    validateInt32(pid, 'pid');
    const { 0: priority, 1: error } = native.getPriority(pid);
    if (error !== 0) throw systemError(error, 'uv_os_getpriority');
    return priority;
  },
  homedir: tags.homedir, hostname: tags.hostname, loadavg: () => native.load(),
  networkInterfaces() {
    const all = {};
    for (const { 0: name, 1: address, 2: netmask, 3: family, 4: mac, 5: internal, 6: scope } of $.each(native.interfaces())) {
      const entry = {
        address, netmask, family, mac, internal: internal === 'true', cidr: $.text`${address}/${prefixOf(netmask)}`,
      };
      $.push(all[name] ??= [], family === 'IPv6' ? { ...entry, scopeid: +scope } : entry);
    }
    return all;
  },
  platform: tags.platform, release: tags.release,
  setPriority(pid, priority) {
    if (priority === undefined) {
      priority = pid;
      pid = 0;
    }
    validateInt32(pid, 'pid');
    validateInt32(priority, 'priority', -20, 19);
    const error = native.setPriority(pid, priority);
    if (error !== 0) throw systemError(error, 'uv_os_setpriority');
  },
  tmpdir: tags.tmpdir, totalmem: tags.totalmem, type: tags.type,
  userInfo(options) {
    const encoding = options?.encoding;
    if (encoding !== undefined && encoding !== null && encoding !== 'buffer') {
      validateOneOf(encoding, 'options.encoding', ['utf8', 'utf-8', 'buffer']);
    }
    const { 0: uid, 1: gid } = [processOf().getuid(), processOf().getgid()];
    const line = native.user(uid);
    if (line === undefined) throw systemError(-2, 'uv_os_get_passwd');
    const text = encoding === 'buffer' ? (value) => require('fs_bytes').toBuffer(
      new (require('encoding').TextEncoder)().encode(value)) : (value) => value;
    return {
      __proto__: null, uid, gid, username: text(line[0]), homedir: text(line[5]), shell: text(line[6]),
    };
  },
  uptime: tags.uptime, version: tags.version, machine: tags.machine,
});
for (const { 0: name, 1: value } of $.each([['EOL', '\n'], ['devNull', '/dev/null']])) {
  Object.defineProperty(exports, name, { value, enumerable: true, configurable: true });
}
Object.defineProperty(exports, 'constants', {
  enumerable: true, get: () => require('os_constants').constants,
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
Object.defineProperty(exports, 'Navigator', { value: Navigator, enumerable: false });
