//! `console`: strings and numbers are printed by a fast path in Rust, everything else by the embedded inspector.

use qjs::define::Put as _;
use rquickjs::{
    Coerced, Ctx, Object, Persistent, Type, Value,
    atom::PredefinedAtom,
    function::{Args, Rest},
    object::{Accessor, Property},
};

use crate::internal::{self, def, state::Platform, strings::to_rust};

/// The methods, in Node's order. Those without a stream are loaded when one of them is first called.
const METHODS: [(&str, Option<Stream>); 24] = [
    ("log", Some(Stream::Out)),
    ("info", Some(Stream::Out)),
    ("debug", Some(Stream::Out)),
    ("warn", Some(Stream::Err)),
    ("error", Some(Stream::Err)),
    ("dir", None),
    ("time", None),
    ("timeEnd", None),
    ("timeLog", None),
    ("trace", None),
    ("assert", None),
    ("clear", None),
    ("count", None),
    ("countReset", None),
    ("group", None),
    ("groupEnd", None),
    ("table", None),
    ("dirxml", None),
    ("groupCollapsed", None),
    ("profile", None),
    ("profileEnd", None),
    ("timeStamp", None),
    ("context", None),
    ("createTask", None),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// The `console` object of an agent, which is also the module `console`.
pub(crate) fn shared<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let platform = Platform::of(ctx)?;
    let made = platform.loaded.borrow().get("console").cloned();
    if let Some(console) = made {
        return console.restore(ctx);
    }
    let console = create(ctx)?;
    platform.loaded.borrow_mut().insert("console".into(), Persistent::save(ctx, console.clone()));
    Ok(console)
}

/// A `console` object.
pub(crate) fn create<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let console = Object::new(ctx.clone())?;
    for (name, stream) in METHODS {
        match stream {
            Some(stream) => def(&console, name, move |ctx: Ctx<'js>, args: Rest<Value<'js>>| {
                print(&ctx, name, stream == Stream::Err, args.0)
            })?,
            None => {
                def(&console, name, move |ctx: Ctx<'js>, args: Rest<Value<'js>>| -> rquickjs::Result<Value<'js>> {
                    internal::function(&ctx, "console", name)?.call((Rest(args.0),))
                })?
            }
        }
    }
    let class =
        |ctx: Ctx<'js>| -> rquickjs::Result<Value<'js>> { internal::require(&ctx, "console_class")?.get("Console") };
    console.prop("Console", Accessor::new_get(class).enumerable().configurable())?;
    for (name, stream) in [("_stdout", "stdout"), ("_stderr", "stderr")] {
        let get = move |ctx: Ctx<'js>| -> rquickjs::Result<Value<'js>> {
            internal::function(&ctx, "console", "stream")?.call((stream,))
        };
        let set = move |ctx: Ctx<'js>, value: Value<'js>| -> rquickjs::Result<()> {
            internal::function(&ctx, "console", "setStream")?.call((stream, value))
        };
        console.prop(name, Accessor::new(get, set).configurable())?;
    }
    console.prop(PredefinedAtom::SymbolToStringTag, Property::from("console").configurable())?;
    Ok(console)
}

/// The native functions of `console.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "print", |ctx: Ctx<'js>, to_stderr: bool, args: Rest<Value<'js>>| {
        print(&ctx, if to_stderr { "error" } else { "log" }, to_stderr, args.0)
    })?;
    def(&native, "write", |ctx: Ctx<'_>, to_stderr: bool, text: rquickjs::String<'_>| -> rquickjs::Result<()> {
        write(&Platform::of(&ctx)?, to_stderr, &to_rust(&text)?);
        Ok(())
    })?;
    def(&native, "indent", |ctx: Ctx<'_>, by: i32| -> rquickjs::Result<()> {
        let indent = &Platform::of(&ctx)?.indent;
        indent.set(indent.get().saturating_add_signed(by as isize));
        Ok(())
    })?;
    Ok(native)
}

fn write(platform: &Platform, to_stderr: bool, text: &str) {
    match to_stderr {
        true => platform.stdio.err(text.as_bytes()),
        false => platform.stdio.out(text.as_bytes()),
    }
}

/// Writes one line of console output.
pub(crate) fn print<'js>(ctx: &Ctx<'js>, name: &str, to_stderr: bool, args: Vec<Value<'js>>) -> rquickjs::Result<()> {
    let platform = Platform::of(ctx)?;
    let is_loaded = |file| platform.internals.borrow().contains_key(file);
    if is_loaded("diagnostics_channel") {
        let list = rquickjs::Array::new(ctx.clone())?;
        for (index, arg) in args.iter().enumerate() {
            list.put(index as u32, arg.clone())?;
        }
        internal::function(ctx, "console", "publish")?.call::<_, Value>((name, list))?;
    }
    let colors = crate::node::process::has_colors(if to_stderr { 2 } else { 1 });
    let mut line = String::new();
    if !format_plain(ctx, &args, colors, &mut line)? {
        line.clear();
        let format = internal::function(ctx, "inspect", "formatWithOptions")?;
        let options = qjs::pristine::bare_object(ctx)?;
        if colors {
            options.put("colors", true)?;
        }
        let mut call = Args::new(ctx.clone(), args.len() + 1);
        call.push_arg(options)?;
        call.push_args(args)?;
        let text: rquickjs::String = format.call_arg(call)?;
        line = to_rust(&text)?;
    }
    let indent = platform.indent.get();
    if indent > 0 {
        line = indented(ctx, &line, indent)?;
    }
    push(ctx, &mut line, "\n")?;
    if is_loaded("process_streams") {
        return internal::function(ctx, "console", "write")?.call((to_stderr, line));
    }
    write(&platform, to_stderr, &line);
    Ok(())
}

/// The text with `indent` spaces in front of each line.
fn indented(ctx: &Ctx<'_>, text: &str, indent: usize) -> rquickjs::Result<String> {
    let lines = 1 + text.matches('\n').count();
    let size = lines.saturating_mul(indent).saturating_add(text.len());
    let mut all = String::new();
    all.try_reserve_exact(size).map_err(|_| qjs::room::none(ctx, size))?;
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            all.push('\n');
        }
        all.extend(std::iter::repeat_n(' ', indent));
        all.push_str(line);
    }
    Ok(all)
}

fn push(ctx: &Ctx<'_>, line: &mut String, text: &str) -> rquickjs::Result<()> {
    line.try_reserve(text.len()).map_err(|_| qjs::room::none(ctx, line.len() + text.len()))?;
    line.push_str(text);
    Ok(())
}

/// Joins arguments if none of them needs the inspector. Returns false if one does.
fn format_plain(ctx: &Ctx<'_>, args: &[Value<'_>], colors: bool, line: &mut String) -> rquickjs::Result<bool> {
    for (index, arg) in args.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        match arg.type_of() {
            Type::String => {
                let Some(string) = arg.as_string() else { return Ok(false) };
                let start = line.len();
                push(ctx, line, &to_rust(string)?)?;
                if index == 0 && args.len() > 1 && line[start..].contains('%') {
                    return Ok(false);
                }
            }
            _ if colors => return Ok(false),
            Type::Int => line.push_str(&arg.as_int().unwrap_or_default().to_string()),
            Type::Float => {
                if arg.as_float().is_some_and(|number| number == 0.0 && number.is_sign_negative()) {
                    line.push_str("-0");
                } else {
                    line.push_str(&arg.get::<Coerced<String>>()?.0);
                }
            }
            Type::Bool => line.push_str(if arg.as_bool() == Some(true) { "true" } else { "false" }),
            Type::Undefined => line.push_str("undefined"),
            Type::Null => line.push_str("null"),
            _ => return Ok(false),
        }
    }
    Ok(true)
}
