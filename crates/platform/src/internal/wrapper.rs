//! What is put around the text of an embedded file; the build script uses it, too.

/// Declares the names of the language's globals, taken from the primordials, in an embedded file.
const GLOBALS: &str = "const{Array,ArrayBuffer,Boolean,BigInt,DOMException,Date,Error,JSON,Map,Math,Number,Object,\
                       Promise,Proxy,RangeError,Reflect,RegExp,Set,SharedArrayBuffer,String,Symbol,SyntaxError,\
                       TypeError,Uint32Array,Uint8Array,WeakMap,WeakRef,WeakSet,globalThis,parseFloat,\
                       parseInt}=$.globals;";

/// A script whose value is the function that an embedded file is the body of. Lines keep their numbers.
pub(crate) fn wrapped(name: &str, text: &str) -> String {
    let globals = if needs_primordials(name) { GLOBALS } else { "" };
    ["(function(exports,require,rust,$){", globals, text, "\n})"].concat()
}

/// Whether a file is given the primordials. One file makes them, and the other runs before any script, in every agent.
pub(crate) fn needs_primordials(name: &str) -> bool {
    !matches!(name, "primordials" | "stack")
}

/// The name that stacks show.
pub(crate) fn file(name: &str) -> String {
    format!("node:internal/{name}")
}
