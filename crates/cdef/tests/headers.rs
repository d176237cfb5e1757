//! Declarations in the style of real headers.

use crate::common::{INT, const_pointer, int, pointer, read};
use cdef::{Declarations, Outcome, Ownership, Type, Value};

const ZLIB: &str = r#"
/* zlib.h -- interface of the 'zlib' general purpose compression library */
#define ZLIB_VERSION "1.3.1"
#define ZLIB_VERNUM 0x1310
#define Z_NO_FLUSH      0
#define Z_FINISH        4
#define Z_OK            0
#define Z_STREAM_END    1
#define Z_ERRNO        (-1)
#define Z_STREAM_ERROR (-2)
#define Z_DEFAULT_COMPRESSION  (-1)
#define Z_DEFLATED   8
#define MAX_WBITS   15 /* 32K LZ77 window */
#define MAX_WSIZE   (1 << MAX_WBITS)

extern "C" {
typedef unsigned char  Byte;
typedef unsigned int   uInt;  /* 16 bits or more */
typedef unsigned long  uLong; /* 32 bits or more */
typedef Byte  Bytef;
typedef uLong uLongf;
typedef void const *voidpc;
typedef void       *voidpf;

typedef voidpf (*alloc_func)(voidpf opaque, uInt items, uInt size);
typedef void   (*free_func)(voidpf opaque, voidpf address);
typedef uInt (*in_func)(void *, unsigned char **);

struct internal_state;

typedef struct z_stream_s {
    Bytef    *next_in;     /* next input byte */
    uInt     avail_in;  /* number of bytes available at next_in */
    uLong    total_in;  /* total number of input bytes read so far */

    Bytef    *next_out; /* next output byte will go here */
    uInt     avail_out; /* remaining free space at next_out */
    uLong    total_out; /* total number of bytes output so far */

    const char *msg;  /* last error message, NULL if no error */
    struct internal_state *state; /* not visible by applications */

    alloc_func zalloc;  /* used to allocate the internal state */
    free_func  zfree;   /* used to free the internal state */
    voidpf     opaque;  /* private data object passed to zalloc and zfree */

    int     data_type;  /* best guess about the data type: binary or text */
    uLong   adler;      /* Adler-32 or CRC-32 value of the uncompressed data */
    uLong   reserved;   /* reserved for future use */
} z_stream;

typedef z_stream *z_streamp;

typedef struct gz_header_s {
    int     text;
    Bytef   *extra;
    uInt    extra_len, extra_max;
    Bytef   *name;
    int     hcrc, done;
} gz_header;
typedef gz_header *gz_headerp;
typedef struct gzFile_s *gzFile [[opaque(gzclose)]];    /* semi-opaque gzip file descriptor */

extern const char * zlibVersion(void);
extern int deflate(z_streamp strm, int flush) [[status(Z_OK, Z_STREAM_END)]];
extern int deflateEnd(z_streamp strm) [[status]];
extern int inflate(z_streamp strm, int flush) [[status(Z_OK, Z_STREAM_END)]];
extern int inflateEnd(z_streamp strm) [[status]];
extern int deflateInit_(z_streamp strm, int level, const char *version, int stream_size) [[status]];
extern int inflateInit_(z_streamp strm, const char *version, int stream_size) [[status]];
extern int deflateSetDictionary(z_streamp strm, const Bytef *dictionary [[length(dictLength)]], uInt dictLength);
extern int deflateSetHeader(z_streamp strm, gz_headerp head);
extern int inflateBack(z_streamp strm, in_func in, void *in_desc, int (*out)(void *, unsigned char *, unsigned), void *out_desc);
extern int compress(Bytef *dest [[out, length(destLen)]], uLongf *destLen [[inout]],
                    const Bytef *source [[length(sourceLen)]], uLong sourceLen) [[status]];
extern int uncompress(Bytef *dest, uLongf *destLen, const Bytef *source, uLong sourceLen);
extern uLong compressBound(uLong sourceLen);
extern gzFile gzopen(const char *, const char *) [[owned]];
extern int gzread(gzFile file, void *buf [[out, length(len)]], unsigned len) [[fails(-1)]];
extern int gzwrite(gzFile file, voidpc buf, unsigned len);
extern char *gzgets(gzFile file, char *buf, int len) [[fails(NULL)]];
extern int gzclose(gzFile file [[consumed]]) [[status]];
extern uLong adler32(uLong adler, const Bytef *buf, uInt len);
extern uLong crc32(uLong crc, const Bytef *buf, uInt len) __attribute__((pure));
extern const uint32_t *get_crc_table(void) [[view, length(256)]];
}
"#;

const SQLITE: &str = r#"
#define SQLITE_VERSION        "3.45.0"
#define SQLITE_VERSION_NUMBER 3045000
#define SQLITE_OK           0   /* Successful result */
#define SQLITE_ROW         100  /* sqlite3_step() has another row ready */
#define SQLITE_DONE        101  /* sqlite3_step() has finished executing */
#define SQLITE_IOERR       10
#define SQLITE_IOERR_READ              (SQLITE_IOERR | (1<<8))
#define SQLITE_OPEN_READONLY         0x00000001  /* Ok for sqlite3_open_v2() */
#define SQLITE_UTF8           1

typedef struct sqlite3 sqlite3 [[opaque(sqlite3_close)]];
typedef struct sqlite3_stmt sqlite3_stmt [[opaque(sqlite3_finalize)]];
typedef struct sqlite3_context sqlite3_context;
typedef struct sqlite3_value sqlite3_value;
typedef struct sqlite3_vfs sqlite3_vfs;
typedef struct sqlite3_file sqlite3_file;
typedef long long int sqlite_int64;
typedef unsigned long long int sqlite_uint64;
typedef sqlite_int64 sqlite3_int64;
typedef sqlite_uint64 sqlite3_uint64;
typedef int (*sqlite3_callback)(void*,int,char**, char**);
typedef void (*sqlite3_destructor_type)(void*);
typedef int result [[status(SQLITE_OK, SQLITE_ROW, SQLITE_DONE)]];

struct sqlite3_file {
  const struct sqlite3_io_methods *pMethods;  /* Methods for an open file */
};
typedef struct sqlite3_io_methods sqlite3_io_methods;
struct sqlite3_io_methods {
  int iVersion;
  int (*xClose)(sqlite3_file*);
  int (*xRead)(sqlite3_file*, void*, int iAmt, sqlite3_int64 iOfst);
};
typedef void (*sqlite3_syscall_ptr)(void);
struct sqlite3_vfs {
  int iVersion;            /* Structure version number (currently 3) */
  sqlite3_vfs *pNext;      /* Next registered VFS */
  const char *zName;       /* Name of this virtual file system */
  void (*(*xDlSym)(sqlite3_vfs*,void*, const char *zSymbol))(void);
  sqlite3_syscall_ptr (*xGetSystemCall)(sqlite3_vfs*, const char *zName);
};

const char *sqlite3_libversion(void);
int sqlite3_libversion_number(void);
int sqlite3_close(sqlite3*);
int sqlite3_exec(
  sqlite3*,                                  /* An open database */
  const char *sql,                           /* SQL to be evaluated */
  int (*callback)(void*,int,char**,char**),  /* Callback function */
  void *,                                    /* 1st argument to callback */
  char **errmsg                              /* Error msg written here */
) [[status]];
sqlite3_int64 sqlite3_last_insert_rowid(sqlite3*);
int sqlite3_busy_handler(sqlite3*,int(*)(void*,int),void*);
void *sqlite3_malloc64(sqlite3_uint64);
void sqlite3_free(void*);
int sqlite3_open(const char *filename, sqlite3 **ppDb [[out]]) [[status]];
const char *sqlite3_errmsg(sqlite3*) [[borrowed]];
int sqlite3_prepare_v2(sqlite3 *db, const char *zSql, int nByte, sqlite3_stmt **ppStmt [[out]], const char **pzTail) [[status]];
int sqlite3_bind_blob(sqlite3_stmt*, int, const void*, int n, void(*)(void*));
int sqlite3_bind_double(sqlite3_stmt*, int, double);
int sqlite3_bind_text(sqlite3_stmt*,int,const char*,int,void(*)(void*));
result sqlite3_step(sqlite3_stmt*);
const unsigned char *sqlite3_column_text(sqlite3_stmt*, int iCol) [[utf8]];
const void *sqlite3_column_text16(sqlite3_stmt*, int iCol) [[utf16]];
int sqlite3_finalize(sqlite3_stmt *pStmt [[consumed]]);
int sqlite3_create_function_v2(
  sqlite3 *db,
  const char *zFunctionName,
  int nArg,
  int eTextRep,
  void *pApp,
  void (*xFunc)(sqlite3_context*,int,sqlite3_value**) [[keep]],
  void (*xStep)(sqlite3_context*,int,sqlite3_value**) [[keep]],
  void (*xFinal)(sqlite3_context*) [[keep]],
  void(*xDestroy)(void*)
);
void *sqlite3_update_hook(sqlite3*, void(*)(void *,int ,char const *,char const *,sqlite3_int64), void*);
void (*sqlite3_dlsym(sqlite3_vfs *, void *, const char *zSymbol))(void);
char *sqlite3_expanded_sql(sqlite3_stmt *pStmt) [[owned(sqlite3_free), keeps(pStmt)]];
"#;

fn integer(declarations: &Declarations, name: &str) -> i128 {
    match declarations.constants.iter().find(|constant| constant.name == name).map(|constant| &constant.value) {
        Some(Value::Integer(value)) => *value,
        other => panic!("{name} is {other:?}"),
    }
}

fn function<'a>(declarations: &'a Declarations, name: &str) -> &'a cdef::Function {
    declarations.functions.iter().find(|function| function.name == name).expect(name)
}

fn signature(ty: &Type) -> &cdef::Signature {
    match ty {
        Type::Pointer(pointee) => signature(&pointee.ty),
        Type::Function(signature) => signature,
        other => panic!("no function: {other:?}"),
    }
}

#[test]
fn zlib() {
    let declarations = read(ZLIB);
    assert_eq!((declarations.functions.len(), declarations.records.len(), declarations.typedefs.len()), (21, 4, 15));
    assert_eq!(declarations.constants.len(), 12);
    assert_eq!((integer(&declarations, "MAX_WSIZE"), integer(&declarations, "Z_STREAM_ERROR")), (32768, -2));

    let stream = declarations.records.iter().position(|record| record.name.as_deref() == Some("z_stream_s")).unwrap();
    let fields = declarations.records[stream].fields.as_ref().unwrap();
    assert_eq!(fields.len(), 14);
    assert_eq!(fields[0].ty, pointer(int(cdef::Width::W8, false)));
    assert_eq!(fields[6].ty, const_pointer(Type::Char));
    assert_eq!(signature(&fields[8].ty).params.len(), 3);

    let deflate = function(&declarations, "deflate");
    assert_eq!(deflate.signature.params[0].ty, pointer(Type::Record(stream)));
    assert_eq!(deflate.annotations.outcome.as_ref().map(|outcome| &outcome.value), Some(&Outcome::Status(vec![0, 1])));
    let back = function(&declarations, "inflateBack");
    assert_eq!(back.signature.params[1].name.as_deref(), Some("in"));
    assert_eq!(signature(&back.signature.params[3].ty).params[2].ty, int(cdef::Width::W32, false));
    let open = function(&declarations, "gzopen");
    assert_eq!(open.annotations.opaque.as_ref().and_then(|opaque| opaque.value.as_deref()), Some("gzclose"));
}

#[test]
fn sqlite() {
    let declarations = read(SQLITE);
    assert_eq!((declarations.functions.len(), declarations.records.len(), declarations.typedefs.len()), (22, 7, 15));
    assert_eq!(integer(&declarations, "SQLITE_IOERR_READ"), 266);

    let names: Vec<_> = declarations.records.iter().map(|record| record.name.as_deref().unwrap()).collect();
    let opaque: Vec<_> = declarations.records.iter().map(|record| record.annotations.opaque.is_some()).collect();
    assert_eq!(names[..2], ["sqlite3", "sqlite3_stmt"]);
    assert_eq!(opaque, [true, true, false, false, false, false, false]);
    let methods = names.iter().position(|name| *name == "sqlite3_io_methods").unwrap();
    let file = names.iter().position(|name| *name == "sqlite3_file").unwrap();
    assert_eq!(declarations.records[file].fields.as_ref().unwrap()[0].ty, const_pointer(Type::Record(methods)));

    let exec = function(&declarations, "sqlite3_exec");
    assert_eq!(signature(&exec.signature.params[2].ty).params[3].ty, pointer(pointer(Type::Char)));
    assert_eq!(exec.signature.params[3].name, None);
    let step = function(&declarations, "sqlite3_step");
    assert_eq!(step.signature.result, INT);
    let status = Outcome::Status(vec![0, 100, 101]);
    assert_eq!(step.annotations.outcome.as_ref().map(|outcome| &outcome.value), Some(&status));
    let create = function(&declarations, "sqlite3_create_function_v2");
    let kept: Vec<_> = create.signature.params.iter().map(|param| param.annotations.keep.is_some()).collect();
    assert_eq!(kept, [false, false, false, false, false, true, true, true, false]);
    let symbol = function(&declarations, "sqlite3_dlsym");
    assert_eq!(signature(&symbol.signature.result).result, Type::Void);
    let expanded = &function(&declarations, "sqlite3_expanded_sql").annotations;
    let owned = Ownership::Owned(Some("sqlite3_free".to_owned()));
    assert_eq!(expanded.ownership.as_ref().map(|ownership| &ownership.value), Some(&owned));
    assert_eq!(expanded.keeps[0].value, "pStmt");
}
