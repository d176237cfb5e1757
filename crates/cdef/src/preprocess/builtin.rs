//! What the compiler defines, and standard headers: of those, what declarations need. Their functions are not declared, since
//! they are no library's own.

/// The macros of clang for WebAssembly, one a line.
pub(super) const PREDEFINED: &str = include_str!("headers/predefined.h");

/// Those with addresses of 32 bits.
pub(super) const PREDEFINED_32: &str = include_str!("headers/predefined32.h");

/// Those with addresses of 64 bits.
pub(super) const PREDEFINED_64: &str = include_str!("headers/predefined64.h");

/// A standard header. Types that every header may use, such as `size_t`, are known without any.
pub(super) fn header(name: &str) -> Option<&'static str> {
    Some(match name {
        "assert.h" => include_str!("headers/assert.h"),
        "complex.h" => include_str!("headers/complex.h"),
        "errno.h" => include_str!("headers/errno.h"),
        "float.h" => include_str!("headers/float.h"),
        "inttypes.h" => include_str!("headers/inttypes.h"),
        "iso646.h" => include_str!("headers/iso646.h"),
        "limits.h" => include_str!("headers/limits.h"),
        "locale.h" => include_str!("headers/locale.h"),
        "math.h" => include_str!("headers/math.h"),
        "pthread.h" => include_str!("headers/pthread.h"),
        "setjmp.h" => include_str!("headers/setjmp.h"),
        "signal.h" => include_str!("headers/signal.h"),
        "stdalign.h" => include_str!("headers/stdalign.h"),
        "stdarg.h" => include_str!("headers/stdarg.h"),
        "stdatomic.h" => include_str!("headers/stdatomic.h"),
        "stdbool.h" => include_str!("headers/stdbool.h"),
        "stddef.h" => include_str!("headers/stddef.h"),
        "stdint.h" => include_str!("headers/stdint.h"),
        "stdio.h" => include_str!("headers/stdio.h"),
        "stdlib.h" => include_str!("headers/stdlib.h"),
        "stdnoreturn.h" => include_str!("headers/stdnoreturn.h"),
        "string.h" => include_str!("headers/string.h"),
        "sys/stat.h" => include_str!("headers/sys_stat.h"),
        "sys/time.h" => include_str!("headers/sys_time.h"),
        "sys/types.h" => include_str!("headers/sys_types.h"),
        "sys/uio.h" => include_str!("headers/sys_uio.h"),
        "time.h" => include_str!("headers/time.h"),
        "unistd.h" => include_str!("headers/unistd.h"),
        "wchar.h" => include_str!("headers/wchar.h"),
        "alloca.h" | "ctype.h" | "dlfcn.h" | "endian.h" | "fcntl.h" | "features.h" | "fenv.h" | "getopt.h"
        | "malloc.h" | "memory.h" | "netinet/in.h" | "poll.h" | "strings.h" | "sys/cdefs.h" | "sys/ioctl.h"
        | "sys/socket.h" | "tgmath.h" | "threads.h" | "uchar.h" | "wctype.h" => "",
        _ => return None,
    })
}
