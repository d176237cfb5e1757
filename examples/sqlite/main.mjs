// A library of C, as it comes from npm, called through the declarations of its own header:
//
//     npm install --prefix examples/sqlite
//     tombolo examples/sqlite/main.mjs
import { Database, SQLiteError, memoryUsed, version } from './sqlite.mjs';

const failure = (fn) => {
  try {
    fn();
  } catch (error) {
    if (!(error instanceof SQLiteError)) throw error;
    return `${error.name} ${error.code}: ${error.message}`;
  }
};

console.log('SQLite', version);
const before = memoryUsed();

function tour() {
  using db = new Database();
  db.exec(`
    create table island (name text primary key, lat real, lon real, people integer, flag blob);
    create view "by number" as select 'Pier ' || value as pier from json_each('[10, 9, 1]');
  `);

  // Statements, parameters, text in any script, integers of 64 bits, bytes.
  {
    using insert = db.prepare('insert into island values (?, ?, ?, ?, ?)');
    insert.run('Föhr', 54.72, 8.5, 8_600, null);
    insert.run('Mont-Saint-Michel', 48.636, -1.511, 2n ** 62n, Uint8Array.from({ length: 1000 }, (_, i) => i));
    insert.run('江の島 🏝', 35.3, 139.48, 373, null);
    console.log('again:', failure(() => insert.run('Föhr', 0, 0, 0, null)));
  }

  // Rows by callback, as C has them: strings.
  db.exec('select name, people from island order by rowid', (row) => console.log('exec:', row));

  // Rows as JavaScript has them. The blob is a view of SQLite's memory, not a copy.
  using select = db.prepare('select people, flag from island where name = ?');
  for (const { people, flag } of select.rows('Mont-Saint-Michel')) {
    console.log('people:', people, 'flag:', flag.length, 'bytes,', flag.subarray(254, 258));
  }

  // A function of SQL, written in JavaScript.
  const radians = (degrees) => degrees * Math.PI / 180;
  db.function('distance', (lat1, lon1, lat2, lon2) => {
    if (Math.abs(lat1) > 90) throw new RangeError(`no such latitude: ${lat1}`);
    const [dy, dx] = [radians(lat2 - lat1), radians(lon2 - lon1)];
    const a = Math.sin(dy / 2) ** 2 + Math.cos(radians(lat1)) * Math.cos(radians(lat2)) * Math.sin(dx / 2) ** 2;
    return 2 * 6371 * Math.asin(Math.sqrt(a));
  });
  using near = db.prepare('select name, distance(54.9, 8.3, lat, lon) as km from island order by km');
  for (const { name, km } of near.rows()) console.log('distance:', name, Math.round(km), 'km');
  console.log('distance:', failure(() => db.exec('select distance(91, 0, 0, 0)')));

  // An order, and a handler that stops what runs for too long.
  const number = (text) => Number(/\d+/.exec(text)?.[0] ?? 0);
  db.collation('numeric_order', (a, b) => number(a) - number(b));
  using piers = db.prepare('select pier from "by number" order by pier collate numeric_order');
  console.log('collation:', [...piers.rows()].map(({ pier }) => pier).join(', '));
  let asked = 0;
  db.progress(() => ++asked > 100);
  const endless = 'with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n';
  console.log('progress:', failure(() => db.exec(endless)));
  db.progress(null);

  // Errors carry SQLite's message.
  console.log('prepare:', failure(() => db.prepare('select * form island')));
  console.log('open:', failure(() => new Database('/no/files.db')));

  // A database as bytes in the guest's memory, which goes from one connection to the other as it is.
  const image = db.serialize();
  console.log('serialized:', new TextDecoder().decode(image.slice(0, 15)));
  using copy = Database.deserialize(image);
  using count = copy.prepare('select count(*) as islands from island');
  console.log('deserialized:', count.get(), 'and the view has', image.length, 'bytes left');

  // Closed by nobody: the two go with their last reference.
  new Database().prepare('select 1').get();
}

tour();
await new Promise((resolve) => setTimeout(resolve)); // what was let go of is closed and freed by now
const { blocks } = tombolo.guestMemory();
console.log(`SQLite uses ${memoryUsed() - before} bytes more than at the start`);
console.log(`blocks left in the guest: ${blocks.alive}`);
