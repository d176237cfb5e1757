// node:buffer: making Buffers, encodings, numbers, searching, and errors, as in Node 26.
import bufferModule, { Buffer, constants, isAscii, isUtf8, kMaxLength, kStringMaxLength, transcode } from 'node:buffer';
import { inspect } from 'node:util';
import { assert, assertEq, assertList, test, thrown } from '../harness.mjs';

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const fails = (fn, name, code, message) => {
  const error = thrown(fn, code);
  assertEq(`${error.name} ${error.code} ${error.message}`, `${name} ${code} ${message}`);
};

test('Buffer is a subclass of Uint8Array that can be called without new', () => {
  assertEq(Object.getPrototypeOf(Buffer), Uint8Array);
  assertEq(globalThis.Buffer, Buffer);
  const buffer = Buffer.from('abc');
  assert(buffer instanceof Uint8Array && buffer instanceof Buffer && Buffer.isBuffer(buffer));
  assert(!Buffer.isBuffer(new Uint8Array(1)));
  assertEq(buffer.constructor, Buffer);
  assertEq(Object.prototype.toString.call(buffer), '[object Uint8Array]');
  assert(Buffer.isBuffer(buffer.map((byte) => byte)) && Buffer.isBuffer(buffer.filter(() => true)));
  assert(Buffer(3).equals(Buffer.alloc(3)) && new Buffer('x').equals(Buffer.from('x')));
  assertEq(Buffer.poolSize, 8192);
  assertEq(kMaxLength, 2 ** 53 - 1);
  assertEq(kStringMaxLength, 536870888);
  assertEq(constants.MAX_LENGTH, kMaxLength);
});

test('from takes strings, arrays, buffers and what converts to them', () => {
  assertEq(hex(Buffer.from([1.9, -1, 256, '3', 'x'])), '01ff000300');
  assertEq(hex(Buffer.from(new Uint16Array([256, 300]))), '002c');
  assertEq(hex(Buffer.from({ length: 3, 0: 1 })), '010000');
  assertEq(hex(Buffer.from({ length: '3' })), '');
  assertEq(hex(Buffer.from({ type: 'Buffer', data: [1, 2] })), '0102');
  assertEq(hex(Buffer.from(JSON.parse(JSON.stringify(Buffer.from('hi'))))), '6869');
  assertEq(hex(Buffer.from(new String('x'))), '78');
  assertEq(hex(Buffer.from({ [Symbol.toPrimitive]: () => 'q' })), '71');
  const shared = new ArrayBuffer(4);
  const view = Buffer.from(shared, 1, 2);
  view[0] = 7;
  assertEq(new Uint8Array(shared)[1], 7);
  assertEq(view.length, 2);
  const message = 'The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an ' +
    'Array-like Object. Received ';
  fails(() => Buffer.from(5), 'TypeError', 'ERR_INVALID_ARG_TYPE', `${message}type number (5)`);
  fails(() => Buffer.from({}), 'TypeError', 'ERR_INVALID_ARG_TYPE', `${message}an instance of Object`);
  fails(() => Buffer.from('a', 'zz'), 'TypeError', 'ERR_UNKNOWN_ENCODING', 'Unknown encoding: zz');
  fails(() => Buffer.from(shared, 5), 'RangeError', 'ERR_BUFFER_OUT_OF_BOUNDS', '"offset" is outside of buffer bounds');
  fails(() => Buffer.from(shared, 1, 9), 'RangeError', 'ERR_BUFFER_OUT_OF_BOUNDS',
    '"length" is outside of buffer bounds');
});

test('a Buffer over a resizable buffer follows its length', () => {
  const resizable = new ArrayBuffer(10, { maxByteLength: 20 });
  const buffer = Buffer.from(resizable, 1);
  assertEq(buffer.length, 9);
  resizable.resize(15);
  assertEq(buffer.length, 14);
  resizable.resize(4);
  assertEq(buffer.toString('latin1'), '\0\0\0');
});

test('small Buffers share a pool, which is not transferred', () => {
  assertEq(Buffer.from('a').buffer.byteLength, 8192);
  assertEq(Buffer.allocUnsafe(10).buffer.byteLength, 8192);
  assertEq(Buffer.alloc(10).buffer.byteLength, 10);
  assertEq(Buffer.allocUnsafeSlow(10).buffer.byteLength, 10);
  const { buffer } = Buffer.from('a');
  assertEq(thrown(() => structuredClone(buffer, { transfer: [buffer] }), 'DataCloneError').name, 'DataCloneError');
  const one = Buffer.from('one');
  const two = Buffer.from('two');
  one.fill('x');
  assertEq(two.toString(), 'two');
});

test('each encoding writes and reads', () => {
  const text = 'h\u00e9\u20ac\u{1f4a9}';
  const cases = {
    utf8: '68c3a9e282acf09f92a9', utf16le: '6800e900ac203dd8a9dc', latin1: '68e9ac3da9', ascii: '68e9ac3da9',
  };
  for (const [name, bytes] of Object.entries(cases)) {
    assertEq(hex(Buffer.from(text, name)), bytes, name);
    assertEq(Buffer.byteLength(text, name), bytes.length / 2, name);
  }
  const bytes = Buffer.from('fb ff fe 00 80'.replaceAll(' ', ''), 'hex');
  assertEq(bytes.toString('base64'), '+//+AIA=');
  assertEq(bytes.toString('base64url'), '-__-AIA');
  assertEq(bytes.toString('latin1'), '\u00fb\u00ff\u00fe\0\u0080');
  assertEq(bytes.toString('ascii'), '\u007b\u007f\u007e\0\0');
  assertEq(bytes.toString('utf8'), '\ufffd\ufffd\ufffd\0\ufffd');
  assertEq(bytes.toString('utf16le'), '\ufffb\u00fe');
  assertEq(Buffer.from('\ud800x').toString('hex'), 'efbfbd78');
  for (const name of ['UTF-8', 'ucs-2', 'UTF-16LE', 'Binary', 'BASE64URL', 'hEX']) assert(Buffer.isEncoding(name), name);
  for (const name of ['', 'utf_8', 5, null]) assert(!Buffer.isEncoding(name), String(name));
});

test('hexadecimal and base64 are read leniently', () => {
  assertEq(hex(Buffer.from('abxx', 'hex')), 'ab');
  assertEq(hex(Buffer.from('abc', 'hex')), 'ab');
  const base64 = {
    'YQ==YQ==': '61', 'YW Jj\n': '616263', 'YW*Jj': '616263', 'Y': '', 'YWJ': '6162', 'YW-_': '616fbf', '=YWJj': '',
    '_-_-': 'ffeffe', '\u0141YWJj': '018589',
  };
  for (const [text, bytes] of Object.entries(base64)) assertEq(hex(Buffer.from(text, 'base64')), bytes, text);
  assertEq(Buffer.byteLength('YWJj=ZGVm', 'base64'), 6);
  assertEq(Buffer.byteLength('YQ==', 'base64'), 1);
});

test('write stops at whole characters and takes its arguments in Node\u2019s forms', () => {
  const buffer = Buffer.alloc(5);
  assertEq(buffer.write('\u20ac\u20ac'), 3);
  assertEq(hex(buffer), 'e282ac0000');
  assertEq(buffer.write('abc', 1, 1), 1);
  assertEq(buffer.write('6162', 3, 'hex'), 2);
  assertEq(hex(buffer), 'e261ac6162');
  assertEq(buffer.write('abc', undefined, 2), 3);
  fails(() => buffer.write(5), 'TypeError', 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
  fails(() => buffer.write('a', 9), 'RangeError', 'ERR_OUT_OF_RANGE',
    'The value of "offset" is out of range. It must be >= 0 && <= 5. Received 9');
  assertEq(buffer.utf8Write('xy', 4), 1);
  fails(() => buffer.utf8Write('x', 9), 'RangeError', 'ERR_BUFFER_OUT_OF_BOUNDS',
    '"offset" is outside of buffer bounds');
  fails(() => buffer.hexSlice(9), 'RangeError', 'ERR_OUT_OF_RANGE', 'Index out of range');
});

test('numbers of all sizes, both ways', () => {
  const buffer = Buffer.alloc(8);
  const round = (name, value, bytes) => {
    buffer.fill(0);
    const size = bytes.length / 2;
    assertEq(buffer[`write${name}`](value), size, name);
    assertEq(hex(buffer.subarray(0, size)), bytes, name);
    assertEq(buffer[`read${name}`](), value, name);
  };
  round('UInt8', 200, 'c8');
  round('Int8', -2, 'fe');
  round('UInt16LE', 0x1234, '3412');
  round('UInt16BE', 0x1234, '1234');
  round('Int16LE', -2, 'feff');
  round('UInt32LE', 0xfedcba98, '98badcfe');
  round('UInt32BE', 0xfedcba98, 'fedcba98');
  round('Int32BE', -559038737, 'deadbeef');
  round('BigUInt64LE', 0xfedcba9876543210n, '1032547698badcfe');
  round('BigInt64BE', -2n, 'fffffffffffffffe');
  round('FloatLE', 1.5, '0000c03f');
  round('FloatBE', -Infinity, 'ff800000');
  round('DoubleLE', Math.PI, '182d4454fb210940');
  round('DoubleBE', -0.1, 'bfb999999999999a');
  assertEq(buffer.writeUIntLE(0x123456789abc, 1, 6), 7);
  assertEq(buffer.readUIntLE(1, 6), 0x123456789abc);
  assertEq(buffer.readUIntBE(1, 6), 0xbc9a78563412);
  assertEq(buffer.writeIntBE(-5, 0, 3), 3);
  assertEq(buffer.readIntBE(0, 3), -5);
  assertEq(buffer.readUint8, buffer.readUInt8);
  assertEq(buffer.writeUInt8({ valueOf: () => '7' }), 1);
  assertEq(buffer[0], 7);
  assertEq(Buffer.prototype.readUInt16LE.call(new Uint8Array([1, 2])), 0x201);
});

test('numbers out of range say what is allowed', () => {
  const buffer = Buffer.alloc(4);
  const range = (name, text, received) => `The value of "${name}" is out of range. It must be ${text}. Received ${received}`;
  const cases = [
    [() => buffer.readUInt32LE(1), range('offset', '>= 0 and <= 0', '1')],
    [() => buffer.readUInt8(-1), range('offset', '>= 0 and <= 3', '-1')],
    [() => buffer.readUInt8(1.5), range('offset', 'an integer', '1.5')],
    [() => buffer.readUIntLE(0, 7), range('byteLength', '>= 1 and <= 6', '7')],
    [() => buffer.writeUInt8(256), range('value', '>= 0 and <= 255', '256')],
    [() => buffer.writeInt16LE(99999), range('value', '>= -32768 and <= 32767', '99999')],
    [() => buffer.writeUIntLE(2 ** 48, 0, 6), range('value', '>= 0 and < 2 ** 48', '281_474_976_710_656')],
    [() => buffer.writeBigInt64LE(2n ** 63n), range('value', '>= -(2n ** 63n) and < 2n ** 63n', '9_223_372_036_854_775_808n')],
  ];
  for (const [fn, message] of cases) fails(fn, 'RangeError', 'ERR_OUT_OF_RANGE', message);
  fails(() => buffer.readDoubleLE(), 'RangeError', 'ERR_BUFFER_OUT_OF_BOUNDS',
    'Attempt to access memory outside buffer bounds');
  fails(() => buffer.readUInt8('1'), 'TypeError', 'ERR_INVALID_ARG_TYPE',
    'The "offset" argument must be of type number. Received type string (\'1\')');
  fails(() => buffer.readIntLE(), 'TypeError', 'ERR_INVALID_ARG_TYPE',
    'The "offset" argument must be of type number. Received undefined');
});

test('a conversion that takes the bytes away is noticed', () => {
  const resizable = new ArrayBuffer(8, { maxByteLength: 8 });
  const buffer = Buffer.from(resizable);
  const value = { valueOf() { resizable.resize(0); return 1; } };
  assertEq(thrown(() => buffer.writeUInt32LE(value), 'an error').name, 'RangeError');
  const detached = Buffer.from(new ArrayBuffer(8));
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  assertEq(detached.toString(), '');
  assertEq(thrown(() => detached.readUInt8(), 'an error').code, 'ERR_BUFFER_OUT_OF_BOUNDS');
  assertEq(detached.indexOf('a'), -1);
});

test('compare, equals and the search functions', () => {
  const buffer = Buffer.from('abcabc');
  assertEq(Buffer.compare(Buffer.from('a'), Buffer.from('b')), -1);
  assertEq(buffer.compare(Buffer.from('xbcax'), 1, 4, 1, 4), 0);
  assertEq(buffer.compare(buffer, 0, 0), 1);
  assert(buffer.equals(new Uint8Array([97, 98, 99, 97, 98, 99])));
  const found = [
    buffer.indexOf('c'), buffer.indexOf('c', 3), buffer.indexOf('c', -1), buffer.lastIndexOf('c'),
    buffer.lastIndexOf('c', 4), buffer.lastIndexOf('c', -4), buffer.indexOf(98), buffer.indexOf(256 + 98),
    buffer.indexOf(''), buffer.indexOf('', 99), buffer.indexOf(Buffer.from('ca')), buffer.indexOf('zz'),
    buffer.lastIndexOf('abc', NaN), buffer.lastIndexOf('c', null), buffer.indexOf('636162', 'hex'),
  ];
  assertList(found, [2, 5, 5, 5, 2, 2, 1, 1, 0, 6, 2, -1, 3, -1, 2]);
  const wide = Buffer.from('\u0061\u0161\u6161', 'utf16le');
  assertEq(wide.indexOf('\u0161', 'utf16le'), 2);
  assertEq(wide.indexOf('\u6161', 0, 'ucs2'), 4);
  assert(buffer.includes('cab') && !buffer.includes('cb'));
  fails(() => buffer.indexOf({}), 'TypeError', 'ERR_INVALID_ARG_TYPE',
    'The "value" argument must be one of type number or string or an instance of Buffer or Uint8Array. Received an ' +
    'instance of Object');
});

test('fill, copy, slice, concat, swap', () => {
  assertEq(Buffer.alloc(5, 'abc').toString(), 'abcab');
  assertEq(hex(Buffer.alloc(4).fill('\u0222')), 'c8a2c8a2');
  assertEq(hex(Buffer.alloc(3).fill(-1)), 'ffffff');
  assertEq(hex(Buffer.alloc(6).fill('ab', 1, 5, 'utf16le')), '006100620000');
  assertEq(hex(Buffer.alloc(3, new Uint16Array([1]))), '010001');
  fails(() => Buffer.alloc(3).fill('zz', 'hex'), 'TypeError', 'ERR_INVALID_ARG_VALUE',
    "The argument 'value' is invalid. Received 'zz'");
  const buffer = Buffer.from('abcdef');
  assertEq(buffer.copy(buffer, 2, 0, 4), 4);
  assertEq(buffer.toString(), 'ababcd');
  assertEq(buffer.copy(Buffer.alloc(2), 5), 0);
  const part = buffer.slice(-3, -1);
  part[0] = 0x78;
  assertEq(buffer.toString(), 'abaxcd');
  assertEq(Buffer.concat([buffer, new Uint8Array(2)], 7).toString('latin1'), 'abaxcd\0');
  fails(() => Buffer.concat([buffer, 5]), 'TypeError', 'ERR_INVALID_ARG_TYPE',
    'The "list[1]" argument must be an instance of Buffer or Uint8Array. Received type number (5)');
  assertEq(Buffer.from('0102030405060708', 'hex').swap16().toString('hex'), '0201040306050807');
  assertEq(Buffer.from('0102030405060708', 'hex').swap32().toString('hex'), '0403020108070605');
  assertEq(Buffer.from('0102030405060708', 'hex').swap64().toString('hex'), '0807060504030201');
  fails(() => buffer.swap64(), 'RangeError', 'ERR_INVALID_BUFFER_SIZE', 'Buffer size must be a multiple of 64-bits');
  assertEq(hex(Buffer.copyBytesFrom(new Uint16Array([1, 2, 3]), 1, 1)), '0200');
});

test('Buffers are printed as in Node', () => {
  const buffer = Buffer.from('abc');
  assertEq(inspect(buffer), '<Buffer 61 62 63>');
  buffer.foo = 1;
  assertEq(inspect(buffer), '<Buffer 61 62 63, foo: 1>');
  assertEq(inspect(Buffer.alloc(52)).slice(-19), ' 00 ... 2 more bytes>'.slice(-19));
  const before = bufferModule.INSPECT_MAX_BYTES;
  bufferModule.INSPECT_MAX_BYTES = 1;
  assertEq(inspect(Buffer.from('abc')), '<Buffer 61 ... 2 more bytes>');
  bufferModule.INSPECT_MAX_BYTES = before;
});

test('transcode, isUtf8 and isAscii', () => {
  const bytes = Buffer.from('\u00e9\u20ac');
  assertEq(hex(transcode(bytes, 'utf8', 'latin1')), 'e93f');
  assertEq(hex(transcode(bytes, 'utf8', 'utf16le')), 'e900ac20');
  assertEq(hex(transcode(Buffer.from([0xe9]), 'ascii', 'utf8')), 'efbfbd');
  assertEq(thrown(() => transcode(bytes, 'utf8', 'hex'), 'an error').code, 'U_ILLEGAL_ARGUMENT_ERROR');
  assert(isUtf8(bytes) && !isUtf8(new Uint8Array([0xff])) && isAscii(new ArrayBuffer(2)) && !isAscii(bytes));
});

test('atob and btoa', () => {
  assertEq(btoa('\u00e9'), '6Q==');
  assertEq(atob(' Y Q=='), 'a');
  assertEq(atob('YQ'), 'a');
  for (const wrong of ['a', 'YQ=', '=', 'YQ===', 'Y-Q']) {
    assertEq(thrown(() => atob(wrong), 'an error').name, 'InvalidCharacterError', wrong);
  }
  assertEq(thrown(() => btoa('\u20ac'), 'an error').name, 'InvalidCharacterError');
  fails(() => atob(), 'TypeError', 'ERR_MISSING_ARGS', 'The "input" argument must be specified');
  assertEq(bufferModule.atob, atob);
});
