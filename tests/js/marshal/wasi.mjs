// What a guest of `Wasi` finds around it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wasi } from 'tombolo:marshal';
import { assertEq, assertThrows, test, thrown } from '../harness.mjs';
import { CREAT, Guest, READ } from '../wasi-guest.mjs';

/** A guest's functions on the WASI of `tombolo:marshal`. */
function guest(...args) {
  const wasi = new Wasi(...args);
  return new Guest({ unattached: true }, {
    wasi: { getImportObject: () => ({ wasi_snapshot_preview1: wasi.imports() }) },
  });
}

test('arguments and environment', () => {
  const { raw, view, bytes } = guest({ SEA: 'Tirreno' }, { args: ['island', 'two'] });
  assertEq(raw.args_sizes_get(8, 12), 0);
  assertEq([view.getUint32(8, true), view.getUint32(12, true)].join(), '2,11');
  assertEq(raw.environ_sizes_get(8, 12), 0);
  assertEq([view.getUint32(8, true), view.getUint32(12, true)].join(), '1,12');
  assertEq(raw.environ_get(64, 128), 0);
  assertEq(new TextDecoder().decode(bytes.slice(128, 140)), 'SEA=Tirreno\0');
  assertEq(guest({}).raw.args_sizes_get(8, 12), 0);
});

test('folders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tombolo-wasi-'));
  try {
    writeFileSync(join(folder, 'note'), 'moin');
    const inside = guest({}, { preopens: { '/': folder } });
    assertEq(inside.read(inside.open('note', { rights: READ })), 'moin');
    inside.write(inside.open('made', { how: CREAT }), 'here');
    assertEq(readFileSync(join(folder, 'made'), 'utf8'), 'here');
  } finally {
    rmSync(folder, { recursive: true });
  }
  assertEq(thrown(() => guest({}).open('note'), 'an errno'), 8);
  assertThrows(Error, () => new Wasi({}, { preopens: { '/': '/no/such/folder' } }), /\/no\/such\/folder/);
});

test('wrong options', () => {
  assertThrows(TypeError, () => new Wasi({}, 1));
  assertThrows(TypeError, () => new Wasi({}, { args: 'x' }), /args/);
  assertThrows(TypeError, () => new Wasi({}, { preopens: 1 }), /preopens/);
});
