// What C's types leave open in sqlite3.h, beside the header, which stays as it is.

const status = '[[status]]';
const borrowed = '[[borrowed]]';

/** By the names of functions (for their results), of their parameters, and of types. */
export const annotations = {
  // A connection and a statement close themselves. What SQLite lends to a callback does not.
  sqlite3: '[[opaque(sqlite3_close_v2)]]',
  sqlite3_stmt: '[[opaque(sqlite3_finalize)]]',
  sqlite3_context: '[[opaque]]',
  sqlite3_value: '[[opaque]]',

  sqlite3_libversion: borrowed,
  sqlite3_open_v2: { result: status, ppDb: '[[out]]' },
  sqlite3_errmsg: borrowed,
  sqlite3_errstr: borrowed,
  sqlite3_status64: { result: status, pCurrent: '[[out]]', pHighwater: '[[out]]' },

  // `pzTail` is what comes after the first statement.
  sqlite3_prepare_v2: { result: status, ppStmt: '[[out]]', pzTail: '[[out, borrowed]]' },
  sqlite3_step: '[[status(SQLITE_ROW, SQLITE_DONE)]]',
  sqlite3_clear_bindings: status,
  sqlite3_db_handle: borrowed,
  sqlite3_bind_null: status,
  sqlite3_bind_int64: status,
  sqlite3_bind_double: status,
  sqlite3_column_name: borrowed,
  sqlite3_column_text: '[[borrowed, utf8]]',
  // By view: what the statement's row has, until the next step.
  sqlite3_column_blob: '[[borrowed, view, length(column_bytes)]]',
  sqlite3_value_text: '[[borrowed, utf8]]',
  sqlite3_value_blob: '[[borrowed, copy, length(value_bytes)]]',

  // A whole database as bytes, made by one connection and taken over by another, without a copy on the way.
  sqlite3_serialize: { result: '[[owned(sqlite3_free), view, length(piSize)]]', piSize: '[[out]]' },
  sqlite3_deserialize: { result: status, pData: '[[consumed, view]]' },
};

/** What names do not reach: the parameters of callbacks. These win over the header's own. */
export const declarations = `
  int sqlite3_exec(
    sqlite3 *db, const char *sql,
    int (*callback)(void *arg, int columns, char **values [[length(columns)]], char **names [[length(columns)]]),
    void *arg, char **errmsg [[out, owned(sqlite3_free)]]) [[status]];

  // SQLITE_STATIC (0) and SQLITE_TRANSIENT (-1) are no functions, and nothing else is passed here.
  int sqlite3_bind_text(sqlite3_stmt *stmt, int index, const char *text, int bytes, intptr_t destroy) [[status]];
  int sqlite3_bind_blob(sqlite3_stmt *stmt, int index, const void *blob, int bytes, intptr_t destroy) [[status]];
  void sqlite3_result_text(sqlite3_context *context, const char *text, int bytes, intptr_t destroy);

  // Functions and collations in JavaScript, which the connection keeps.
  int sqlite3_create_function_v2(
    sqlite3 *db, const char *name, int arguments, int encoding, void *app,
    void (*function)(sqlite3_context *context, int count, sqlite3_value **values [[length(count)]]) [[keep]],
    void (*step)(sqlite3_context *, int, sqlite3_value **), void (*final)(sqlite3_context *),
    void (*destroy)(void *)) [[status]];
  int sqlite3_create_collation_v2(
    sqlite3 *db, const char *name, int encoding, void *app,
    int (*compare)(
      void *app, int bytesA, const char *a [[length(bytesA)]], int bytesB, const char *b [[length(bytesB)]]) [[keep]],
    void (*destroy)(void *)) [[status]];
  void sqlite3_progress_handler(sqlite3 *db, int instructions, int (*handler)(void *app) [[keep]], void *app);
`;
