//! Where declarations come from: a text, or a header and what it includes.

use std::path::{Path, PathBuf};

use cdef::{Addresses, Declarations, Included, Kind, Position};
use permissions::{Failure, Permissions};
use qjs::define::{self, Put as _};
use qjs::{Borrowed, Ctx, Cx, Exception, Object, Result, Value};

use crate::descriptors::keys;
use crate::errors::throw_long;
use crate::granted;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// Declarations that wait to be read.
pub(crate) struct Source {
    text: String,
    /// The path; empty for a text that a script has.
    name: String,
    folders: Vec<PathBuf>,
    defines: Vec<(String, String)>,
    annotations: Vec<(String, String)>,
    declarations: String,
}

impl Source {
    /// What a script has as text.
    pub(crate) fn of_text<'js>(ctx: &Ctx<'js>, text: String, options: Option<&Object<'js>>) -> Result<Self> {
        let mut source = Self {
            text,
            name: String::new(),
            folders: Vec::new(),
            defines: Vec::new(),
            annotations: Vec::new(),
            declarations: String::new(),
        };
        let Some(options) = options else { return Ok(source) };
        let include: Value = options.get("include")?;
        if !include.is_undefined() {
            let folders =
                crate::language::list(&include)?.ok_or_else(|| wrong(ctx, "include", "an array of folders"))?;
            for folder in folders {
                let folder = folder.as_string().ok_or_else(|| wrong(ctx, "include", "an array of folders"))?;
                source.folders.push(path(&webidl::string(ctx, Borrowed::of(folder.as_value()))?));
            }
        }
        let declarations: Value = options.get("declarations")?;
        if !declarations.is_undefined() {
            let text =
                declarations.as_string().ok_or_else(|| wrong(ctx, "declarations", "C declarations as a string"))?;
            source.declarations = webidl::string(ctx, Borrowed::of(text.as_value()))?;
        }
        for (name, value) in entries(ctx, options, "define")? {
            let text = match &value {
                value if value.as_bool() == Some(false) => continue,
                value if value.as_bool() == Some(true) => "1".to_owned(),
                value => webidl::string(ctx, Borrowed::of(value))?,
            };
            source.defines.push((name, text));
        }
        for (name, value) in entries(ctx, options, "annotations")? {
            if value.is_string() {
                let text = webidl::string(ctx, Borrowed::of(&value))?;
                source.annotations.push((name, text));
                continue;
            }
            let expected = || wrong(ctx, "annotations", "an object with annotations by name, or objects of them");
            let parts = value.as_object().ok_or_else(expected)?;
            for part in keys(parts)? {
                let text: Value = parts.get(&*part)?;
                let text = webidl::string(ctx, Borrowed::of(text.as_string().ok_or_else(expected)?.as_value()))?;
                let name = if part == "result" { name.clone() } else { format!("{name}.{part}") };
                source.annotations.push((name, text));
            }
        }
        Ok(source)
    }

    /// A header: its text or its path.
    pub(crate) fn of_header<'js>(ctx: &Ctx<'js>, given: String, options: Option<&Object<'js>>) -> Result<Self> {
        // No path has these, and no header is without them.
        if given.contains(['\n', ';', '#', '{']) || given.trim().is_empty() {
            return Self::of_text(ctx, given, options);
        }
        let at = path(&given);
        match read_file(&granted::of(ctx), &at) {
            Ok(text) => Ok(Self { name: at.to_string_lossy().into_owned(), ..Self::of_text(ctx, text, options)? }),
            Err(Failure::Denied(denied)) => Err(granted::throw(ctx, &denied)),
            Err(error) => {
                Err(Exception::throw_message(ctx, &format!("header: cannot read `{}`: {error}", at.display())))
            }
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// A SyntaxError, for everything that is left out if nobody is `lenient`.
    pub(crate) fn read(&self, ctx: &Ctx<'_>, place: &str, is_wide: bool, is_lenient: bool) -> Result<Declarations> {
        let may = granted::of(ctx);
        let include = |name: &str, is_quoted: bool, from: &str| self.find(&may, name, is_quoted, from);
        let options = cdef::Options {
            name: &self.name,
            defines: &self.defines,
            include: Some(&include),
            annotations: &self.annotations,
            declarations: &self.declarations,
            addresses: Addresses::wide(is_wide),
        };
        let read = cdef::read(&self.text, &options);
        let read = read.and_then(|declarations| match declarations.missed().filter(|_| !is_lenient) {
            Some(error) => Err(error),
            None => Ok(declarations),
        });
        read.map_err(|error| throw_long(ctx, "SyntaxError", &format!("{place}: {error}")))
    }

    /// A file that is included: beside the one that includes it, or in the folders.
    fn find(&self, may: &Permissions, name: &str, is_quoted: bool, from: &str) -> Option<Included> {
        let beside = Path::new(from).parent().filter(|_| is_quoted && !from.is_empty() && !from.starts_with('<'));
        let places = beside.into_iter().chain(self.folders.iter().map(PathBuf::as_path));
        places.map(|folder| folder.join(name)).find_map(|path| {
            let text = read_file(may, &path).ok()?;
            let path = may.real_module(&path).unwrap_or(path);
            Some(Included { name: path.to_string_lossy().into_owned(), text, is_system: false })
        })
    }
}

/// The text of a file. What is not UTF-8 in it can only be in comments.
fn read_file(may: &Permissions, path: &Path) -> std::result::Result<String, Failure> {
    let held = may.module(path, permissions::Module::Text)?;
    if std::fs::metadata(held.path())?.len() > LARGEST {
        return Err(std::io::Error::other(format!("it has more than {LARGEST} bytes")).into());
    }
    Ok(String::from_utf8_lossy(&std::fs::read(held.path())?).into_owned())
}

/// A path, which may be the URL of a file.
fn path(given: &str) -> PathBuf {
    given.strip_prefix("file://").unwrap_or(given).into()
}

/// The properties of an option that is an object.
fn entries<'js>(ctx: &Ctx<'js>, options: &Object<'js>, name: &str) -> Result<Vec<(String, Value<'js>)>> {
    let given: Value = options.get(name)?;
    if given.is_undefined() || given.is_null() {
        return Ok(Vec::new());
    }
    let object = given.as_object().ok_or_else(|| wrong(ctx, name, "an object"))?;
    keys(object)?.into_iter().map(|key| object.get(&*key).map(|value| (key, value))).collect()
}

fn wrong(ctx: &Ctx<'_>, option: &str, expected: &str) -> rquickjs::Error {
    Exception::throw_type(ctx, &format!("argument 3: `{option}` must be {expected}"))
}

/// What is left out, as a frozen array.
pub(crate) fn list<'a, 'js>(
    ctx: &Ctx<'js>,
    declarations: &Declarations,
    skipped: impl Iterator<Item = (&'a str, Kind, Position, &'a str)>,
) -> Result<Value<'js>> {
    let skipped: Vec<_> = skipped.collect();
    let mut list = qjs::array::ArrayBuilder::new(Cx::of(ctx), skipped.len())?;
    for (name, kind, position, reason) in skipped {
        let entry = Object::new(ctx.clone())?;
        let text = |text: &str| qjs::string::from_utf8(ctx, text.as_bytes());
        entry.put("name", text(name)?)?;
        entry.put("kind", text(kind.word())?)?;
        entry.put("file", text(declarations.file(position).map_or("", |file| &file.name))?)?;
        entry.put("line", Value::new_number(ctx.clone(), position.line as f64))?;
        entry.put("column", Value::new_number(ctx.clone(), position.column as f64))?;
        entry.put("reason", text(reason)?)?;
        define::freeze(&entry)?;
        list.push(Cx::of(ctx).returned(entry.as_value()))?;
    }
    let list = list.finish()?;
    if let Some(list) = list.as_object() {
        define::freeze(list)?;
    }
    Ok(list)
}
