// node:child_process.
/**
 * What Rust provides.
 * @type {{
 *   spawn(options: object, ended: (...given: any[]) => void): number[] | number,
 *   kill(id: number, signal: number): number,
 *   setRef(wait: number, refed: boolean): void,
 *   shutdown(fd: number): void,
 *   spawnSync(options: object): any,
 * }}
 */
const native = rust;
const { EventEmitter } = require('events');
const { abortError, create, invalidArgType, notImplemented } = require('errors');
const { validateAbortSignal, validateArray, validateFunction, validateObject, validateOneOf, validateString } =
  require('validators');
const { normalize, environment, stdioOf, toWish, checkSignal, checkTimeout, checkMaxBuffer } =
  require('child_arguments');
const { toSignal, nameOf } = require('process_signals');
const { toBuffer, decode, encodingOf } = require('fs_bytes');
const { toText } = require('fs_values');
const proc = () => require('process').process;
const timers = () => require('timers');

const MAX_BUFFER = 1024 * 1024;
// An error of the system, as `spawn` and its relatives give it.
/** @returns {any} */
const failure = (errno, syscall) => require('fs_errors').errnoException(errno, syscall);

/** @this {any} */
function ChildProcess() {
  EventEmitter.init(this);
  this._closesNeeded = 1;
  this._closesGot = 0;
  this.connected = false;
  this.signalCode = null;
  this.exitCode = null;
  this.killed = false;
  this.spawnfile = null;
  this._handle = null;
}
Object.setPrototypeOf(ChildProcess.prototype, EventEmitter.prototype);
Object.setPrototypeOf(ChildProcess, EventEmitter);
const maybeClose = (child) => {
  child._closesGot++;
  if (child._closesGot === child._closesNeeded) child.emit('close', child.exitCode, child.signalCode);
};
// What nobody reads must not keep `close` from coming.
const flush = (child) => {
  for (const stream of $.each(child.stdio ?? [])) {
    if (stream?.readable && !stream.readableFlowing && !stream.readableListening) stream.resume();
  }
};
const ended = (child, exitCode, signal) => {
  if (signal !== null) child.signalCode = nameOf(signal);
  else child.exitCode = exitCode;
  child.stdin?.destroy();
  child._handle = null;
  if (exitCode !== null && exitCode < 0) {
    const syscall = child.spawnfile ? $.text`spawn ${child.spawnfile}` : 'spawn';
    const error = failure(exitCode, syscall);
    if (child.spawnfile) error.path = child.spawnfile;
    error.spawnargs = $.slice(child.spawnargs, 1);
    child.emit('error', error);
  } else {
    child.emit('exit', child.exitCode, child.signalCode);
  }
  proc().nextTick(flush, child);
  maybeClose(child);
};
let spawning;
const tracingChannel = () => (spawning ??= require('diagnostics_channel').tracingChannel('child_process.spawn'));
/** @type {any} */
const methods = {
  /** @this {any} */
  spawn(options) {
    validateObject(options, 'options');
    const { list, ipc } = stdioOf(options.stdio ?? 'pipe');
    const { envPairs: given = [], serialization } = options;
    validateArray(given, 'options.envPairs');
    const envPairs = $.slice(given);
    validateOneOf(serialization, 'options.serialization', [undefined, 'json', 'advanced']);
    if (options.args !== undefined) validateArray(options.args, 'options.args');
    if (ipc >= 0) {
      if (serialization === 'advanced') throw notImplemented("child_process with serialization 'advanced'");
      $.push(envPairs, $.text`NODE_CHANNEL_FD=${ipc}`, 'NODE_CHANNEL_SERIALIZATION_MODE=json');
    }
    validateString(options.file, 'options.file');
    this.spawnfile = options.file;
    this.spawnargs = options.args === undefined ? [] : options.args;
    const tracing = tracingChannel();
    if (tracing.start.hasSubscribers) tracing.start.publish({ process: this, options });
    const started = native.spawn({
      file: options.file, args: this.spawnargs, env: environment(envPairs), cwd: options.cwd ?? undefined,
      uid: options.uid ?? undefined, gid: options.gid ?? undefined, detached: Boolean(options.detached),
      stdio: $.map(list, toWish),
    }, (_, { 0: code, 1: signal }) => ended(this, code ?? null, signal ?? null));
    const isStarted = typeof started !== 'number';
    if (!isStarted) {
      const { error } = tracing;
      if (error.hasSubscribers) error.publish({ process: this, error: failure(started, 'spawn') });
      // Errors that come from the program that is asked for are events.
      if (!$.includes([-7, -11, -13, -24, -23, -2, -20, -1, -8, -40], started)) throw failure(started, 'spawn');
      proc().nextTick(() => ended(this, started, null));
      if (started === -24 || started === -23) return started;
    } else {
      this._handle = { pid: started[1], wait: started[0] };
      this.pid = started[1];
      if (tracing.end.hasSubscribers) tracing.end.publish({ process: this });
      proc().nextTick(() => this.emit('spawn'));
    }
    const { Socket, closeFd } = require('process_streams');
    const streams = [];
    let channel;
    $.forEach(list, ({ type }, i) => {
      const fd = isStarted ? started[i + 2] : -1;
      if (type === 'ipc') {
        channel = fd;
        $.push(streams, null);
        return;
      }
      if (type !== 'pipe') {
        $.push(streams, null);
        return;
      }
      const stream = new (/** @type {any} */ (Socket))({
        __proto__: null, fd, readable: i > 0, writable: i === 0 || i > 2,
      });
      if (fd < 0) stream.destroy();
      if (i === 0) stream.whenFinal = () => closeFd(stream);
      else {
        if (i > 2) stream.whenFinal = () => native.shutdown(fd);
        if (isStarted) {
          this._closesNeeded++;
          stream.on('close', () => maybeClose(this));
        }
      }
      $.push(streams, stream);
    });
    const { 0: stdin, 1: stdout, 2: stderr } = streams;
    Object.assign(this, { stdio: streams, stdin, stdout, stderr });
    if (channel !== undefined && isStarted) {
      require('process_ipc').attach(this, channel, { refed: true });
      this._closesNeeded++;
      this.once('disconnect', () => maybeClose(this));
    }
    return isStarted ? 0 : started;
  },
  /** @this {any} */
  kill(signal) {
    const number = signal === 0 ? 0 : toSignal(signal === undefined ? 'SIGTERM' : signal);
    if (this._handle) {
      const error = native.kill(this._handle.pid, number);
      if (error === 0) {
        this.killed = true;
        return true;
      }
      if (error === -3) return false;
      if (error === -22 || error === -38) throw failure(error, 'kill');
      this.emit('error', failure(error, 'kill'));
    }
    return false;
  },
  /** @this {any} */
  ref() {
    if (this._handle) native.setRef(this._handle.wait, true);
  },
  /** @this {any} */
  unref() {
    if (this._handle) native.setRef(this._handle.wait, false);
  },
};
Object.assign(ChildProcess.prototype, methods);
Object.defineProperty(ChildProcess.prototype, Symbol.dispose, {
  writable: true, configurable: true,
  /** @this {any} */
  value() {
    if (!this.killed) this.kill();
  },
});

const killChild = (child, signal) => {
  if (!child._handle) return;
  try {
    child.kill(signal);
  } catch (error) {
    child.emit('error', error);
  }
};
/**
 * @param {any} file
 * @param {any} [args]
 * @param {any} [options]
 */
const spawn = (file, args, options) => {
  options = normalize(file, args, options);
  checkTimeout(options.timeout);
  validateAbortSignal(options.signal, 'options.signal');
  const killSignal = checkSignal(options.killSignal);
  const child = new (/** @type {any} */ (ChildProcess))();
  child.spawn(options);
  if (options.timeout > 0) {
    let timer = timers().setTimeout(() => {
      timer = undefined;
      killChild(child, killSignal);
    }, options.timeout);
    child.once('exit', () => {
      if (timer !== undefined) timers().clearTimeout(timer);
    });
  }
  const { signal } = options;
  if (signal) {
    const abort = () => {
      if (!child._handle && child.pid === undefined) return;
      const isRunning = child._handle !== null;
      killChild(child, killSignal);
      if (isRunning) child.emit('error', abortError(signal.reason));
    };
    if (signal.aborted) proc().nextTick(abort);
    else {
      signal.addEventListener('abort', abort, { __proto__: null, once: true });
      child.once('exit', () => signal.removeEventListener('abort', abort));
    }
  }
  return child;
};

const shellArguments = (command, options, callback) => {
  validateString(command, 'command');
  if (typeof options === 'function') {
    callback = options;
    options = undefined;
  }
  options = { __proto__: null, ...options };
  options.shell = typeof options.shell === 'string' ? options.shell : true;
  return { file: command, options, callback };
};
const fileArguments = (file, args, options, callback) => {
  if ($.isArray(args)) args = $.slice(args);
  else if (args !== null && typeof args === 'object') {
    callback = options;
    options = args;
    args = null;
  } else if (typeof args === 'function') {
    callback = args;
    options = null;
    args = null;
  }
  args ??= [];
  if (typeof options === 'function') callback = options;
  else if (options !== null && options !== undefined) validateObject(options, 'options');
  if (typeof options === 'function' || options === null || options === undefined) options = { __proto__: null };
  if (callback !== null && callback !== undefined) validateFunction(callback, 'callback');
  if (options.argv0 !== null && options.argv0 !== undefined) validateString(options.argv0, 'options.argv0');
  return { file, args, options, callback };
};

const execFile = (file, args, options, callback) => {
  ({ file, args, options, callback } = fileArguments(file, args, options, callback));
  options = {
    __proto__: null, encoding: 'utf8', timeout: 0, maxBuffer: MAX_BUFFER, killSignal: 'SIGTERM', cwd: null, env: null, shell: false,
    ...options,
  };
  checkTimeout(options.timeout);
  checkMaxBuffer(options.maxBuffer);
  options.killSignal = checkSignal(options.killSignal);
  const child = spawn(file, args, {
    __proto__: null, cwd: options.cwd, env: options.env, gid: options.gid, shell: options.shell, signal: options.signal,
    uid: options.uid, windowsHide: Boolean(options.windowsHide), windowsVerbatimArguments: Boolean(options.windowsVerbatimArguments),
    argv0: options.argv0,
  });
  let encoding;
  try {
    encoding = encodingOf(options);
  } catch {
    // An unknown encoding stands for bytes.
  }
  const outputs = [];
  let error = null;
  let killed = false;
  let isOver = false;
  let timer;
  const kill = () => {
    child.stdout?.destroy();
    child.stderr?.destroy();
    killed = true;
    try {
      child.kill(options.killSignal);
    } catch (thrown) {
      error ??= thrown;
      exit();
    }
  };
  const gather = (chunks) => (encoding === undefined ? toBuffer(joined(chunks)) : $.join(chunks, ''));
  const exit = (code, signal) => {
    if (isOver) return;
    isOver = true;
    if (timer !== undefined) timers().clearTimeout(timer);
    if (!callback) return;
    const stdout = gather(outputs[0] ?? []);
    const stderr = gather(outputs[1] ?? []);
    if (!error && code === 0 && signal === null) {
      callback(null, stdout, stderr);
      return;
    }
    let cmd = file;
    if (args?.length) cmd += $.text` ${$.join(args, ' ')}`;
    error ??= Object.assign(new Error($.text`Command failed: ${cmd}\n${stderr}`), {
      code: code < 0 ? require('fs_errors').nameOfErrno(code) : code, killed: child.killed || killed, signal,
    });
    error.cmd = cmd;
    callback(error, stdout, stderr);
  };
  if (options.timeout > 0) {
    timer = timers().setTimeout(() => {
      timer = undefined;
      kill();
    }, options.timeout);
  }
  for (const { 0: i, 1: name } of $.each([[0, 'stdout'], [1, 'stderr']])) {
    const stream = child[name];
    $.push(outputs, []);
    if (!stream) continue;
    if (encoding !== undefined) stream.setEncoding(encoding);
    let size = 0;
    stream.on('data', (chunk) => {
      const isText = typeof chunk === 'string';
      const length = isText ? $.byteLength(bytesOf(chunk, encoding)) : $.byteLength(chunk);
      size += length;
      if (size > options.maxBuffer) {
        const room = options.maxBuffer - (size - length);
        $.push(outputs[i], isText ? $.slice(chunk, 0, room) : $.subarray(chunk, 0, room));
        error = create('RangeError', 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER', $.text`${name} maxBuffer length exceeded`);
        kill();
        return;
      }
      $.push(outputs[i], chunk);
    });
  }
  child.addListener('close', exit);
  child.addListener('error', (thrown) => {
    error = thrown;
    child.stdout?.destroy();
    child.stderr?.destroy();
    exit();
  });
  return child;
};
const joined = (chunks) => {
  const whole = new Uint8Array($.reduce(chunks, (sum, chunk) => sum + $.byteLength(chunk), 0));
  let at = 0;
  for (const chunk of $.each(chunks)) {
    $.set(whole, $.bytesOf(chunk), at);
    at += $.byteLength(chunk);
  }
  return whole;
};
const exec = (command, options, callback) => {
  const given = shellArguments(command, options, callback);
  return execFile(given.file, given.options, given.callback);
};

const spawnSync = (file, args, options) => {
  options = { __proto__: null, maxBuffer: MAX_BUFFER, ...normalize(file, args, options) };
  checkTimeout(options.timeout);
  checkMaxBuffer(options.maxBuffer);
  const killSignal = checkSignal(options.killSignal);
  const { list } = stdioOf(options.stdio ?? 'pipe', true);
  if (options.input !== undefined && options.input !== null) list[0] = { type: 'pipe', input: options.input };
  const inputs = $.map(list, ({ input }, i) => {
    if (input === undefined || input === null) return undefined;
    if (typeof input === 'string') return bytesOf(input, options.encoding);
    if (!$.isView(input)) {
      throw invalidArgType($.text`options.stdio[${i}]`,
        'one of type string or an instance of Buffer, TypedArray, or DataView', input);
    }
    return input;
  });
  const done = native.spawnSync({
    file: options.file, args: options.args, env: environment(options.envPairs), cwd: options.cwd ?? undefined,
    uid: options.uid ?? undefined, gid: options.gid ?? undefined, detached: options.detached,
    stdio: $.map(list, toWish), inputs, timeout: options.timeout ?? undefined, maxBuffer: options.maxBuffer,
    killSignal,
  });
  const encoding = options.encoding && options.encoding !== 'buffer' ? encodingOf(options) : undefined;
  const result = {
    status: done.status ?? null, signal: done.signal === undefined || done.signal === null ? null : nameOf(done.signal),
    output: done.outputs === undefined ? null : $.map(done.outputs, (bytes, i) =>
      (bytes === null || i === 0 ? null : encoding ? decode(bytes, encoding) : toBuffer(bytes))),
    pid: done.pid,
  };
  Object.assign(result, { stdout: result.output && result.output[1], stderr: result.output && result.output[2] });
  if (done.error !== 0) {
    const error = failure(done.error, $.text`spawnSync ${options.file}`);
    error.path = options.file;
    error.spawnargs = $.slice(options.args, 1);
    result.error = error;
  }
  return result;
};
const bytesOf = (text, encoding) => require('buffer').encode(text,
  require('encodings').idOf(encoding && encoding !== 'buffer' ? encoding : 'utf8'));
const checkSync = (result, args, command) => {
  if (result.error) return Object.assign(result.error, result);
  if (result.status === 0) return undefined;
  let message = $.text`Command failed: ${command ?? $.join(args, ' ')}`;
  if (result.stderr && result.stderr.length > 0) {
    message += $.text`\n${typeof result.stderr === 'string' ? result.stderr : decode(result.stderr, 'utf8')}`;
  }
  return Object.assign(new Error(message), result);
};
const finishSync = (result, inherits, args, command) => {
  if (inherits && result.stderr) proc().stderr.write(result.stderr);
  const error = checkSync(result, args, command);
  if (error) throw error;
  return result.stdout;
};
const execFileSync = (file, args, options) => {
  ({ file, args, options } = fileArguments(file, args, options, undefined));
  const inherits = !options.stdio;
  const all = [options.argv0 ?? file, ...$.each(args)];
  return finishSync(spawnSync(file, args, options), inherits, all, undefined);
};
const execSync = (command, options) => {
  const { file, options: given } = shellArguments(command, options, null);
  return finishSync(spawnSync(file, [], given), !given.stdio, undefined, command);
};

/**
 * The options that this program was started with, but for code to run: a child that ran it would fork again, without end.
 */
const inheritedOptions = () => {
  const options = [];
  let isCode = false;
  for (const option of $.each(proc().execArgv)) {
    if (isCode) {
      isCode = false;
      continue;
    }
    isCode = $.includes(['-e', '--eval', '-p', '--print', '-pe'], option);
    if (!isCode && !$.startsWith(option, '--eval=') && !$.startsWith(option, '--print=')) $.push(options, option);
  }
  return options;
};

const fork = (path, args, options) => {
  path = toText(path, 'modulePath');
  if (args === undefined || args === null) args = [];
  else if (typeof args === 'object' && !$.isArray(args)) {
    options = args;
    args = [];
  } else validateArray(args, 'args');
  if (options !== undefined && options !== null) validateObject(options, 'options');
  options = { ...options, shell: false };
  options.execPath ||= proc().execPath;
  validateString(options.execPath, 'options.execPath');
  const execArgv = options.execArgv ?? inheritedOptions();
  let { stdio } = options;
  if (typeof stdio === 'string') {
    if (!$.includes(['ignore', 'pipe', 'overlapped', 'inherit'], stdio)) {
      throw require('errors').invalidArgValue('stdio', stdio);
    }
    stdio = [stdio, stdio, stdio, 'ipc'];
  } else if (!$.isArray(stdio)) {
    const each = options.silent ? 'pipe' : 'inherit';
    stdio = [each, each, each, 'ipc'];
  } else if (!$.includes(stdio, 'ipc')) {
    throw create('Error', 'ERR_CHILD_PROCESS_IPC_REQUIRED',
      "Forked processes must have an IPC channel, missing value 'ipc' in options.stdio");
  }
  return spawn(options.execPath, [...$.each(execArgv), path, ...$.each(args)], { ...options, stdio });
};

// `util.promisify` of these gives both outputs.
const promised = (call) => {
  const promising = (...args) => {
    const { promise, resolve, reject } = $.withResolvers();
    (/** @type {any} */ (promise)).child = call(...$.each(args), (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else reject(Object.assign(error, { stdout, stderr }));
    });
    return promise;
  };
  Object.defineProperty(promising, 'name', { value: call.name, configurable: true });
  Object.defineProperty(call, $.symbolFor('nodejs.util.promisify.custom'), { value: promising, configurable: true });
};
promised(exec);
promised(execFile);

Object.assign(exports, {
  _forkChild: (fd) => require('process_ipc').attach(proc(), fd, { refed: false }),
  ChildProcess, exec, execFile, execFileSync, execSync, fork, spawn, spawnSync,
});
