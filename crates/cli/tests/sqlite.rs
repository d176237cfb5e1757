//! The example with SQLite, whose guest comes from npm: `npm install --prefix examples/sqlite`.

use crate::harness::{Run, repository};

#[test]
fn the_example_with_sqlite() {
    let folder = repository().join("examples/sqlite");
    if !folder.join("node_modules/@sqlite.org/sqlite-wasm").is_dir() {
        let reason = "it is not installed; `npm install --prefix examples/sqlite` does that";
        return testing::not_run("the example with SQLite", reason);
    }
    let places = ["/usr/include/sqlite3.h", "/usr/local/include/sqlite3.h"];
    if std::env::var_os("SQLITE3_H").is_none() && !places.iter().any(|path| std::path::Path::new(path).is_file()) {
        let reason = "there is no sqlite3.h: `apt-get install libsqlite3-dev`, or name one by SQLITE3_H";
        return testing::not_run("the example with SQLite", reason);
    }
    Run::new(&folder, ["main.mjs"]).outcome().exits(0).stderr("").stdout_has(&[
        "SQLite 3.",
        "again: SQLiteError 19: UNIQUE constraint failed: island.name\n",
        "exec: { name: 'Mont-Saint-Michel', people: '4611686018427387904' }\n",
        "exec: { name: '江の島 🏝', people: '373' }\n",
        "people: 4611686018427387904n flag: 1000 bytes, Uint8Array(4) [ 254, 255, 0, 1 ]\n",
        "distance: Föhr 24 km\n",
        "distance: SQLiteError 1: no such latitude: 91\n",
        "collation: Pier 1, Pier 9, Pier 10\n",
        "progress: SQLiteError 9: interrupted\n",
        "prepare: SQLiteError 1: near \"form\": syntax error\n",
        "open: SQLiteError 14: unable to open database file\n",
        "serialized: SQLite format 3\n",
        "deserialized: { islands: 3 } and the view has 0 bytes left\n",
        "SQLite uses 0 bytes more than at the start\n",
        "blocks left in the guest: 0\n",
    ]);
}
