// Errors of node:fs that the system does not know.
const { create } = require('errors');

// Node's SystemError: what an operation found, with the details that an error of the system has.
const system = (code, message, info) => {
  const error = create('Error', code, $.text`${message}: ${info.syscall} returned ${info.code} (${info.message}) ${info.path}`);
  Object.defineProperty(error, 'name', { value: 'SystemError', writable: true, configurable: true });
  return Object.assign(error, { info, errno: info.errno, syscall: info.syscall, path: info.path });
};
exports.isFolder = (path) => system('ERR_FS_EISDIR', 'Path is a directory',
  { code: 'EISDIR', message: 'is a directory', path, syscall: 'rm', errno: 21 });
exports.system = system;

// An error of the system by its negative number.
exports.errnoException = (number, syscall) => {
  const code = exports.nameOfErrno(number);
  return Object.assign(new Error($.text`${syscall} ${code}`), { errno: number, code, syscall });
};
exports.nameOfErrno = (number) =>
  require('errno').systemErrors().get(number)?.[0] ?? $.text`Unknown system error ${number}`;
