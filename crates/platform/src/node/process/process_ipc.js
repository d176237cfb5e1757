// Messages between a process and its child, as Node sends them: a line of JSON each, over a socket.
const { start, setRef, cancel } = require('fs_operations');
const { create, invalidArgType } = require('errors');
const proc = () => require('process').process;

const closedError = () => create('Error', 'ERR_IPC_CHANNEL_CLOSED', 'Channel closed');
// One end of a channel on `target`, which gets `send`, `disconnect`, `connected` and `channel`.
exports.attach = (target, fd, { refed }) => {
  let wait;
  let isRefed = refed;
  let unread = '';
  let isOpen = true;
  let pending = 0;
  let closing = false;
  const decoder = new (require('encoding').TextDecoder)();
  const finish = () => {
    if (fd === undefined) return;
    const number = fd;
    fd = undefined;
    if (wait !== undefined) cancel(wait);
    start({ __proto__: null, call: ['close', number] }, () => {});
    target.channel = null;
    target._channel = null;
    proc().nextTick(() => target.emit('disconnect'));
  };
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    target.connected = false;
    closing = true;
    if (pending === 0) finish();
  };
  const deliver = (message) => {
    if (message !== null && typeof message === 'object' && typeof message.cmd === 'string'
      && $.startsWith(message.cmd, 'NODE_')) {
      target.emit('internalMessage', message, undefined);
      if (message.cmd === 'NODE_HANDLE_NACK' || message.cmd === 'NODE_HANDLE_ACK') return;
      return;
    }
    target.emit('message', message, undefined);
  };
  const take = (text) => {
    const lines = $.split(unread + text, '\n');
    unread = $.pop(lines);
    for (const line of $.each(lines)) {
      if (line === '') continue;
      const message = JSON.parse(line);
      proc().nextTick(() => deliver(message));
    }
  };
  const read = () => {
    wait = start({ __proto__: null, call: ['read', fd, 65536, undefined] }, (error, bytes) => {
      wait = undefined;
      if (fd === undefined) return;
      if (error !== null || $.length(bytes) === 0) {
        close();
        return;
      }
      take(decoder.decode(bytes, { __proto__: null, stream: true }));
      if (fd !== undefined) read();
    });
    if (!isRefed) setRef(wait, false);
  };
  const setHold = (hold) => {
    isRefed = hold;
    if (wait !== undefined) setRef(wait, hold);
  };
  target.connected = true;
  target.channel = {
    ref: () => setHold(true), unref: () => setHold(false), refCounted: () => setHold(true),
    unrefCounted: () => setHold(false), get fd() {
      return fd;
    },
  };
  target._channel = target.channel;
  target.send = { send(message, handle, options, callback) {
    if (typeof handle === 'function') callback = handle;
    else if (typeof options === 'function') callback = options;
    if (message === undefined) {
      throw create('TypeError', 'ERR_MISSING_ARGS', 'The "message" argument must be specified');
    }
    if (handle && typeof handle !== 'function') throw require('errors').notImplemented('sending of handles');
    if (!$.includes(['string', 'object', 'number', 'boolean'], typeof message)) {
      throw invalidArgType('message', 'one of type string, object, number, or boolean', message);
    }
    if (!isOpen) {
      const error = closedError();
      if (typeof callback === 'function') proc().nextTick(callback, error);
      else proc().nextTick(() => target.emit('error', error));
      return false;
    }
    pending++;
    start({ __proto__: null, call: ['writeAll', fd, $.text`${JSON.stringify(message)}\n`] }, (error) => {
      pending--;
      if (typeof callback === 'function') callback(error);
      else if (error) target.emit('error', error);
      if (closing && pending === 0) finish();
    });
    return true;
  } }.send;
  target.disconnect = { disconnect() {
    if (!isOpen) {
      target.emit('error', create('Error', 'ERR_IPC_DISCONNECTED', 'IPC channel is already disconnected'));
      return;
    }
    close();
  } }.disconnect;
  read();
  return { setHold, close };
};
// In a child that was started with a channel.
exports.connect = (process) => {
  const { env } = process;
  const fd = parseInt(env.NODE_CHANNEL_FD, 10);
  const mode = env.NODE_CHANNEL_SERIALIZATION_MODE;
  delete env.NODE_CHANNEL_FD;
  delete env.NODE_CHANNEL_SERIALIZATION_MODE;
  if (!Number.isInteger(fd) || (mode !== undefined && mode !== 'json')) return;
  const { setHold } = exports.attach(process, fd, { refed: false });
  // Who listens waits for messages.
  let listeners = 0;
  const isWaiting = (name) => name === 'message' || name === 'disconnect';
  process.on('newListener', (name) => {
    if (isWaiting(name) && listeners++ === 0) setHold(true);
  });
  process.on('removeListener', (name) => {
    if (isWaiting(name) && --listeners === 0) setHold(false);
  });
};
