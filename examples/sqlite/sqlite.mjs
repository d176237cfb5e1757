// A small wrapper of SQLite's C interface: connections, statements, and functions of SQL in JavaScript.
import { StatusError } from 'tombolo:marshal';
import { c } from './guest.mjs';

export const version = c.sqlite3_libversion();
/** Bytes that SQLite itself counts as in use. */
export const memoryUsed = () => Number(c.sqlite3_status64(c.SQLITE_STATUS_MEMORY_USED, 0)[0]);

/** What SQLite says went wrong, and its code for it. */
export class SQLiteError extends Error {
  name = 'SQLiteError';
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Runs `call`, whose status becomes an error with the connection's message. */
function checked(db, call) {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new SQLiteError(error.code, db === null ? c.sqlite3_errstr(error.code) : c.sqlite3_errmsg(db));
  }
}

/** A number where it is exact. */
const integer = (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/** Reads a value of SQL: of a row (`column`: a blob is a view of it until the next row) or of an argument (`value`). */
function read(kind, ...where) {
  switch (c[`sqlite3_${kind}_type`](...where)) {
    case c.SQLITE_INTEGER: return integer(c[`sqlite3_${kind}_int64`](...where));
    case c.SQLITE_FLOAT: return c[`sqlite3_${kind}_double`](...where);
    case c.SQLITE_TEXT: return c[`sqlite3_${kind}_text`](...where);
    case c.SQLITE_BLOB: return c[`sqlite3_${kind}_blob`](...where) ?? new Uint8Array(0);
    default: return null;
  }
}

function bind(stmt, index, value) {
  switch (typeof value) {
    case 'string': return c.sqlite3_bind_text(stmt, index, value, -1, c.SQLITE_TRANSIENT);
    case 'bigint': return c.sqlite3_bind_int64(stmt, index, value);
    case 'boolean': return c.sqlite3_bind_int64(stmt, index, BigInt(value));
    case 'number':
      if (Number.isSafeInteger(value)) return c.sqlite3_bind_int64(stmt, index, BigInt(value));
      return c.sqlite3_bind_double(stmt, index, value);
    default:
      if (value === null) return c.sqlite3_bind_null(stmt, index);
      return c.sqlite3_bind_blob(stmt, index, value, value.byteLength, c.SQLITE_TRANSIENT);
  }
}

/** Answers a call of a function of SQL. */
function answer(context, value) {
  if (value === null || value === undefined) c.sqlite3_result_null(context);
  else if (typeof value === 'bigint' || Number.isSafeInteger(value)) c.sqlite3_result_int64(context, BigInt(value));
  else if (typeof value === 'number') c.sqlite3_result_double(context, value);
  else c.sqlite3_result_text(context, String(value), -1, c.SQLITE_TRANSIENT);
}

export class Statement {
  #db;
  #stmt;
  constructor(db, stmt) { [this.#db, this.#stmt] = [db, stmt]; }

  /** The rows, as objects. */
  * rows(...params) {
    const stmt = this.#stmt;
    try {
      params.forEach((value, i) => checked(this.#db, () => bind(stmt, i + 1, value)));
      const names = Array.from({ length: c.sqlite3_column_count(stmt) }, (_, i) => c.sqlite3_column_name(stmt, i));
      while (checked(this.#db, () => c.sqlite3_step(stmt)) === c.SQLITE_ROW) {
        yield Object.fromEntries(names.map((name, i) => [name, read('column', stmt, i)]));
      }
    } finally {
      c.sqlite3_reset(stmt);
    }
  }
  /** Runs to the end. */
  run(...params) { for (const _ of this.rows(...params)); }
  /** The first row. */
  get(...params) { for (const row of this.rows(...params)) return row; }
  [Symbol.dispose]() { this.#stmt.close(); }
}

export class Database {
  #db;
  constructor(filename = ':memory:') {
    const flags = c.SQLITE_OPEN_READWRITE | c.SQLITE_OPEN_CREATE;
    this.#db = checked(null, () => c.sqlite3_open_v2(filename, flags, null));
  }

  /** A database of the bytes that `serialize` gave, which it takes over. */
  static deserialize(image) {
    const [database, size] = [new Database(), BigInt(image.length)];
    const flags = c.SQLITE_DESERIALIZE_FREEONCLOSE | c.SQLITE_DESERIALIZE_RESIZEABLE;
    checked(database.#db, () => c.sqlite3_deserialize(database.#db, 'main', image, size, size, flags));
    return database;
  }
  /** The whole database, as a view that frees itself. */
  serialize() { return c.sqlite3_serialize(this.#db, 'main', 0)[0]; }

  /** Runs all statements of `sql`; `onRow` gets the rows, as strings. What it throws ends the run. */
  exec(sql, onRow = null) {
    let thrown;
    const callback = onRow && ((_arg, _columns, values, names) => {
      try {
        onRow(Object.fromEntries(names.map((name, i) => [name, values[i]])));
        return 0;
      } catch (error) { // which must not cross SQLite's own frames
        thrown = { error };
        return 1;
      }
    });
    try {
      checked(this.#db, () => c.sqlite3_exec(this.#db, sql, callback, null));
    } catch (error) {
      throw thrown === undefined ? error : thrown.error;
    }
  }
  prepare(sql) {
    const [stmt] = checked(this.#db, () => c.sqlite3_prepare_v2(this.#db, sql, -1));
    return new Statement(this.#db, stmt);
  }
  /** Makes `fn` a function of SQL. */
  function(name, fn) {
    const call = (context, _count, values) => {
      try {
        answer(context, fn(...values.map((value) => read('value', value))));
      } catch (error) {
        c.sqlite3_result_error(context, error.message, -1);
      }
    };
    const flags = c.SQLITE_UTF8 | c.SQLITE_DETERMINISTIC;
    checked(this.#db, () => c.sqlite3_create_function_v2(this.#db, name, fn.length, flags, null, call, null, null, null));
  }
  /** Makes `compare` an order of strings. */
  collation(name, compare) {
    const call = (_app, _bytesA, a, _bytesB, b) => compare(a, b);
    checked(this.#db, () => c.sqlite3_create_collation_v2(this.#db, name, c.SQLITE_UTF8, null, call, null));
  }
  /** Asks `stop` now and then while a statement runs. */
  progress(stop) { c.sqlite3_progress_handler(this.#db, 10_000, stop && (() => Number(stop())), null); }
  [Symbol.dispose]() { this.#db.close(); }
}
