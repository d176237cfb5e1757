// node:fs/promises: the synchronous functions in a later turn of the loop.
const fs = /** @type {typeof import('fs') & import('fs').Sync} */ (require('fs'));
const later = (call) => new Promise((resolve, reject) => {
  require('timers').setImmediate(() => {
    try {
      resolve(call());
    } catch (error) {
      reject(error);
    }
  });
});

class FileHandle {
  fd;
  constructor(fd) {
    this.fd = fd;
  }
  close() {
    return later(() => fs.closeSync(this.fd));
  }
  read(buffer, ...rest) {
    return later(() => ({ bytesRead: fs.readSync(this.fd, buffer, ...$.each(rest)), buffer }));
  }
  write(data, ...rest) {
    return later(() => ({ bytesWritten: fs.writeSync(this.fd, data, ...$.each(rest)), buffer: data }));
  }
  readFile(options) {
    return later(() => fs.readFileSync(this.fd, options));
  }
  writeFile(data, options) {
    return later(() => fs.writeFileSync(this.fd, data, options));
  }
  stat(options) {
    return later(() => fs.fstatSync(this.fd, options));
  }
  truncate(length) {
    return later(() => fs.ftruncateSync(this.fd, length));
  }
  sync() {
    return later(() => fs.fsyncSync(this.fd));
  }
  [Symbol.asyncDispose ?? Symbol('asyncDispose')]() {
    return this.close();
  }
}
for (const name of $.each([
  'readFile', 'writeFile', 'appendFile', 'stat', 'lstat', 'readdir', 'mkdir', 'mkdtemp', 'rm', 'rmdir', 'unlink',
  'rename', 'copyFile', 'realpath', 'readlink', 'symlink', 'link', 'access', 'chmod', 'utimes', 'truncate',
])) {
  exports[name] = { [name](path, ...rest) {
    return later(() => fs[$.text`${name}Sync`](path instanceof FileHandle ? path.fd : path, ...$.each(rest)));
  } }[name];
}
exports.open = (path, flags, mode) => later(() => new FileHandle(fs.openSync(path, flags, mode)));
exports.constants = fs.constants;
