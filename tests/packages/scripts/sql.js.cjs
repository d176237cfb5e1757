const assert = require('node:assert/strict');
const initSqlJs = require('sql.js');

initSqlJs().then((SQL) => {
  const db = new SQL.Database();
  db.run('CREATE TABLE island (name TEXT UNIQUE, people INT)');
  const insert = db.prepare('INSERT INTO island VALUES (?, ?)');
  for (let at = 0; at < 1000; at += 1) insert.run([`island ${at}`, at * at]);
  insert.free();
  db.create_function('half', (people) => people / 2);
  const [{ columns, values }] = db.exec('SELECT count(*) AS n, sum(half(people)) AS people FROM island');
  assert.deepEqual(columns, ['n', 'people']);
  assert.deepEqual(values, [[1000, 166416750]]);
  assert.throws(() => db.run("INSERT INTO island VALUES ('island 1', 0)"), /UNIQUE constraint failed/);

  const copy = new SQL.Database(db.export());
  const statement = copy.prepare('SELECT * FROM island WHERE people = $people');
  assert.deepEqual(statement.getAsObject({ $people: 9 }), { name: 'island 3', people: 9 });
  statement.free();
  copy.close();
  db.close();
  console.log('ok');
});
