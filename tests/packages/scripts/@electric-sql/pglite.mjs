import assert from 'node:assert/strict';
import { PGlite } from '@electric-sql/pglite';

const db = new PGlite();
assert.deepEqual((await db.query("select 'Hello world' as message;")).rows, [{ message: 'Hello world' }]);
await db.exec('create table island (id serial primary key, name text unique, since date);');
await db.transaction(async (tx) => {
  await tx.query('insert into island (name, since) values ($1, $2), ($3, $4)', ['Föhr', '1864-01-01', '江の島', '0552-04-13']);
});
const { rows } = await db.query('select name, extract(year from since)::int as year from island order by id');
assert.deepEqual(rows, [{ name: 'Föhr', year: 1864 }, { name: '江の島', year: 552 }]);
await assert.rejects(db.query("insert into island (name) values ('Föhr')"), { code: '23505' });
assert.equal((await db.query('select sum(n) from generate_series(1, 10000) as n')).rows[0].sum, 50005000);
await db.close();
console.log('ok');
