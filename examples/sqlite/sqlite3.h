// The part of sqlite3.h that the example uses, with what C's types leave open said in attributes. It is still C.

#define SQLITE_ROW 100
#define SQLITE_DONE 101

#define SQLITE_OPEN_READWRITE 0x02
#define SQLITE_OPEN_CREATE 0x04

#define SQLITE_INTEGER 1
#define SQLITE_FLOAT 2
#define SQLITE_TEXT 3
#define SQLITE_BLOB 4
#define SQLITE_NULL 5

#define SQLITE_UTF8 1
#define SQLITE_DETERMINISTIC 0x800
#define SQLITE_TRANSIENT -1
#define SQLITE_STATUS_MEMORY_USED 0
#define SQLITE_DESERIALIZE_FREEONCLOSE 1
#define SQLITE_DESERIALIZE_RESIZEABLE 2

typedef long long sqlite3_int64;

// A connection and a statement close themselves. What SQLite lends to a callback does not.
typedef struct sqlite3 sqlite3 [[opaque(sqlite3_close_v2)]];
typedef struct sqlite3_stmt sqlite3_stmt [[opaque(sqlite3_finalize)]];
typedef struct sqlite3_context sqlite3_context [[opaque]];
typedef struct sqlite3_value sqlite3_value [[opaque]];

// SQLITE_STATIC (0) and SQLITE_TRANSIENT (-1) are no functions, and nothing else is passed here.
typedef intptr_t sqlite3_destructor_type;

const char *sqlite3_libversion(void) [[borrowed]];
int sqlite3_close_v2(sqlite3 *db);
int sqlite3_open_v2(const char *filename, sqlite3 **ppDb [[out]], int flags, const char *zVfs) [[status]];
const char *sqlite3_errmsg(sqlite3 *db) [[borrowed]];
const char *sqlite3_errstr(int code) [[borrowed]];
void sqlite3_free(void *block);
int sqlite3_status64(int op, sqlite3_int64 *pCurrent [[out]], sqlite3_int64 *pHighwater [[out]], int reset) [[status]];

int sqlite3_exec(
  sqlite3 *db, const char *sql,
  int (*callback)(void *arg, int columns, char **values [[length(columns)]], char **names [[length(columns)]]), void *arg,
  char **errmsg [[out, owned(sqlite3_free)]]) [[status]];

// `pzTail` is what comes after the first statement.
int sqlite3_prepare_v2(
  sqlite3 *db, const char *zSql, int nByte, sqlite3_stmt **ppStmt [[out]], const char **pzTail [[out, borrowed]])
  [[status]];
int sqlite3_step(sqlite3_stmt *stmt) [[status(SQLITE_ROW, SQLITE_DONE)]];
int sqlite3_reset(sqlite3_stmt *stmt);
int sqlite3_clear_bindings(sqlite3_stmt *stmt) [[status]];
int sqlite3_finalize(sqlite3_stmt *stmt);
sqlite3 *sqlite3_db_handle(sqlite3_stmt *stmt) [[borrowed]];
sqlite3_int64 sqlite3_last_insert_rowid(sqlite3 *db);

int sqlite3_bind_parameter_count(sqlite3_stmt *stmt);
int sqlite3_bind_null(sqlite3_stmt *stmt, int index) [[status]];
int sqlite3_bind_int64(sqlite3_stmt *stmt, int index, sqlite3_int64 value) [[status]];
int sqlite3_bind_double(sqlite3_stmt *stmt, int index, double value) [[status]];
int sqlite3_bind_text(
  sqlite3_stmt *stmt, int index, const char *text, int bytes, sqlite3_destructor_type destroy) [[status]];
int sqlite3_bind_blob(
  sqlite3_stmt *stmt, int index, const void *blob, int bytes, sqlite3_destructor_type destroy) [[status]];

int sqlite3_column_count(sqlite3_stmt *stmt);
const char *sqlite3_column_name(sqlite3_stmt *stmt, int column) [[borrowed]];
int sqlite3_column_type(sqlite3_stmt *stmt, int column);
sqlite3_int64 sqlite3_column_int64(sqlite3_stmt *stmt, int column);
double sqlite3_column_double(sqlite3_stmt *stmt, int column);
const unsigned char *sqlite3_column_text(sqlite3_stmt *stmt, int column) [[borrowed, utf8]];
int sqlite3_column_bytes(sqlite3_stmt *stmt, int column);
// By view: what the statement's row has, until the next step.
const unsigned char *sqlite3_column_blob(sqlite3_stmt *stmt, int column) [[borrowed, view, length(column_bytes)]];

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

int sqlite3_value_type(sqlite3_value *value);
sqlite3_int64 sqlite3_value_int64(sqlite3_value *value);
double sqlite3_value_double(sqlite3_value *value);
const unsigned char *sqlite3_value_text(sqlite3_value *value) [[borrowed, utf8]];
int sqlite3_value_bytes(sqlite3_value *value);
const unsigned char *sqlite3_value_blob(sqlite3_value *value) [[borrowed, copy, length(value_bytes)]];
void sqlite3_result_null(sqlite3_context *context);
void sqlite3_result_int64(sqlite3_context *context, sqlite3_int64 value);
void sqlite3_result_double(sqlite3_context *context, double value);
void sqlite3_result_text(sqlite3_context *context, const char *text, int bytes, sqlite3_destructor_type destroy);
void sqlite3_result_error(sqlite3_context *context, const char *message, int bytes);

// A whole database as bytes, made by one connection and taken over by another, without a copy on the way.
unsigned char *sqlite3_serialize(sqlite3 *db, const char *schema, sqlite3_int64 *size [[out]], unsigned flags)
  [[owned(sqlite3_free), view, length(size)]];
int sqlite3_deserialize(
  sqlite3 *db, const char *schema, unsigned char *data [[consumed, view]], sqlite3_int64 size, sqlite3_int64 capacity,
  unsigned flags) [[status]];
