//! What the exports of a guest are called that marshalling needs.

/// The memory.
pub const MEMORY: &str = "memory";

/// The table of functions, which function pointers are indices of.
pub const TABLE: &str = "__indirect_function_table";

/// The functions that allocate and free, in the order in which they are looked for: C's, wasm-bindgen's, and those of
/// the component model's canonical ABI.
pub const ALLOCATORS: [[&str; 2]; 3] =
    [["malloc", "free"], ["__wbindgen_malloc", "__wbindgen_free"], ["cabi_realloc", "free"]];

/// AssemblyScript's allocator: it makes an object, pins it and lets it go.
pub const ASSEMBLY_SCRIPT: [&str; 3] = ["__new", "__pin", "__unpin"];
