//! Compiles the embedded JavaScript to QuickJS's bytecode, which is read several times as fast as text is parsed. The
//! engine is the very one of the program, built for the machine that compiles, where `rquickjs`'s macros need it anyway.
//! If the program is for a machine whose bytecode may differ, it has the text instead (`crates/platform/src/internal/embedded.rs`).

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::{env, fs, ptr, slice};

use rquickjs_sys as q;

#[path = "src/internal/wrapper.rs"]
mod wrapper;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to write"));
    // A new script is noticed by its row there.
    println!("cargo::rerun-if-changed=src/features.rs");
    println!("cargo::rerun-if-changed=src/internal/wrapper.rs");
    let mut scripts = Vec::new();
    collect(Path::new("src"), &mut scripts);
    scripts.sort();
    let mut table = String::from("&[");
    for path in &scripts {
        println!("cargo::rerun-if-changed={}", path.display());
        if is_alike() {
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a script's name is text");
            let text = fs::read_to_string(path).expect("a script can be read");
            let file = format!("{name}.bytecode");
            assert!(!table.contains(&format!("({name:?}, ")), "two scripts are called {name}.js");
            fs::write(out.join(&file), compile(name, &text)).expect("bytecode can be written");
            table += &format!("({name:?}, include_bytes!({file:?})),");
        }
    }
    fs::write(out.join("bytecode.rs"), table + "]").expect("the table can be written");
}

fn collect(folder: &Path, scripts: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, scripts);
        } else if path.extension().is_some_and(|extension| extension == "js") {
            scripts.push(path);
        }
    }
}

/// Whether the machine that the program is for has the integers and pointers of the one that compiles it.
fn is_alike() -> bool {
    let target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).expect("cargo describes the target");
    let endian = if cfg!(target_endian = "little") { "little" } else { "big" };
    target("ENDIAN") == endian && target("POINTER_WIDTH") == usize::BITS.to_string()
}

/// The bytecode of a script, with its names and lines but without its text.
fn compile(name: &str, text: &str) -> Vec<u8> {
    let source = CString::new(wrapper::wrapped(name, text)).expect("a script has no zero bytes");
    let file = CString::new(wrapper::file(name)).expect("nor has its name");
    let flags = q::JS_EVAL_TYPE_GLOBAL | q::JS_EVAL_FLAG_STRICT | q::JS_EVAL_FLAG_COMPILE_ONLY;
    let kept = q::JS_WRITE_OBJ_BYTECODE | q::JS_WRITE_OBJ_STRIP_SOURCE;
    // SAFETY: the runtime, its context and everything in them are used by this thread alone, and freed after their last
    // use. The source has a zero byte after its end, as QuickJS demands.
    unsafe {
        let runtime = q::JS_NewRuntime();
        let context = q::JS_NewContext(runtime);
        assert!(!context.is_null(), "there is memory for QuickJS");
        let len = source.as_bytes().len();
        let compiled = q::JS_Eval(context, source.as_ptr(), len as _, file.as_ptr(), flags as i32);
        if q::JS_IsException(compiled) {
            panic!("{}", message(context));
        }
        let mut size = 0;
        let bytes = q::JS_WriteObject(context, &mut size, compiled, kept as i32);
        assert!(!bytes.is_null(), "{name}.js can be written as bytecode");
        let bytecode = slice::from_raw_parts(bytes, size as usize).to_vec();
        q::js_free(context, bytes.cast());
        q::JS_FreeValue(context, compiled);
        q::JS_FreeContext(context);
        q::JS_FreeRuntime(runtime);
        bytecode
    }
}

/// What was thrown, and where.
///
/// # Safety
/// The context must be live.
unsafe fn message(context: *mut q::JSContext) -> String {
    // SAFETY: the caller's promise; the exception and the text are alive when they are read, and the process ends next.
    unsafe {
        let exception = q::JS_GetException(context);
        let stack = q::JS_GetPropertyStr(context, exception, c"stack".as_ptr());
        let texts = [exception, stack].map(|value| q::JS_ToCStringLen2(context, ptr::null_mut(), value, false));
        texts.map(|text| CStr::from_ptr(text).to_string_lossy()).join("\n")
    }
}
