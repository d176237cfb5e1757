const assert = require('node:assert/strict');
const { dirname, join } = require('node:path');
const duckdb = require('@duckdb/duckdb-wasm/dist/duckdb-node-blocking.cjs');

const dist = dirname(require.resolve('@duckdb/duckdb-wasm/dist/duckdb-node-blocking.cjs'));
// There is a build for engines with WebAssembly's exceptions, and one for others.
const bundle = (name) => ({
  mainModule: join(dist, `duckdb-${name}.wasm`), mainWorker: join(dist, `duckdb-node-${name}.worker.cjs`),
});
const bundles = { eh: bundle('eh'), mvp: bundle('mvp') };

(async () => {
  const db = await duckdb.createDuckDB(bundles, new duckdb.VoidLogger(), duckdb.NODE_RUNTIME);
  await db.instantiate(() => {});
  const connection = db.connect();
  const query = (sql) => connection.query(sql).toArray().map((row) => ({ ...row }));
  query('CREATE TABLE island AS SELECT range AS id, range % 7 AS sea, range * 1.5 AS area FROM range(10000)');
  assert.deepEqual(
    query('SELECT sea::INT AS sea, count(*)::INT AS n, sum(area)::DOUBLE AS area FROM island GROUP BY sea ORDER BY sea LIMIT 2'),
    [{ sea: 0, n: 1429, area: 10713213 }, { sea: 1, n: 1429, area: 10715356.5 }],
  );
  // Errors are C++ exceptions inside, and so is this one, which SQL itself catches.
  assert.throws(() => query('SELECT * FROM nowhere'), /Table with name nowhere does not exist/);
  assert.throws(() => query("SELECT 'x'::INT"), /Could not convert string 'x' to INT32/);
  assert.deepEqual(query("SELECT TRY_CAST('x' AS INT) AS it"), [{ it: null }]);
  db.registerFileText('sea.csv', 'name,depth\nnorth,95\nbaltic,55\n');
  assert.deepEqual(query("SELECT max(depth)::INT AS depth FROM read_csv_auto('sea.csv')"), [{ depth: 95 }]);
  const statement = connection.prepare('SELECT ? || name AS name FROM read_csv_auto(\'sea.csv\') WHERE depth < ?');
  assert.deepEqual(statement.query('sea: ', 60).toArray().map((row) => row.name), ['sea: baltic']);
  statement.close();
  connection.close();
  console.log('ok');
})();
