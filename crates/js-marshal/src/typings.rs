//! TypeScript's declarations of what `header` binds.

use std::collections::HashSet;
use std::fmt::Write as _;

use cdef::{
    Annotations, Declarations, Direction, Function, Outcome, Param, RecordKind, Type, Value as Constant, Width,
};
use qjs::{Borrowed, Call, Exception, Object, Result, Value};

use crate::sources::Source;

pub(crate) fn define(exports: &Object<'_>) -> Result<()> {
    crate::descriptors::export_function(exports, "typings", 2, typings)
}

/// `typings(text or path, options)`: the text of a `.d.ts` file. The option `only` has the names that are bound.
fn typings<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "typings";
    let ctx = &call.ctx;
    let given = call.arg(0);
    let Some(given) = given.as_string() else {
        let came = webidl::describe(&given);
        let message = format!("{PLACE}: argument 1 must be a header's text or its path, got {came}");
        return Err(Exception::throw_type(ctx, &message));
    };
    let given = webidl::string(ctx, Borrowed::of(given.as_value()))?;
    let options = webidl::dictionary(ctx, call.arg(1), "typings: argument 2")?;
    let source = Source::of_header(ctx, given, options.as_ref())?;
    let declarations = source.read(ctx, PLACE, false, true)?;
    let only: Value = match &options {
        Some(options) => options.get("only")?,
        None => Value::new_undefined(ctx.clone()),
    };
    let only = match crate::language::list(&only)? {
        Some(names) => {
            let name = |name: Value<'js>| webidl::string(ctx, Borrowed::of(&name));
            Some(names.into_iter().map(name).collect::<Result<HashSet<String>>>()?)
        }
        None => None,
    };
    let text = Typings { declarations: &declarations, only }.write();
    qjs::string::from_utf8(ctx, text.as_bytes())
}

/// What is told about a library.
struct Typings<'d> {
    declarations: &'d Declarations,
    only: Option<HashSet<String>>,
}

/// Which way a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goes {
    /// From the script.
    In,
    /// To the script.
    Out,
}

impl Typings<'_> {
    fn has(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(name))
    }

    fn write(&self) -> String {
        let mut text = String::from(
            "// Made by `tombolo bind`.\nimport type {\n  Callback, Handle, Library as Bound, HeaderOptions, Pointer, \
             TypedArray, Wasi,\n} from 'tombolo:marshal';\n\n",
        );
        text.push_str("type Bytes = ArrayBuffer | ArrayBufferView | string;\n");
        text.push_str("type Address = number | bigint | null;\n");
        text.push_str("type Data<T> = T[] | TypedArray | Pointer<T> | null;\n\n");
        // A typedef may have the name of another type's tag.
        let mut told = HashSet::new();
        for (index, of) in self.declarations.enums.iter().enumerate() {
            if told.insert(self.enum_name(index)) && of.name.is_some() && !self.declarations.is_system(of.position) {
                let names: Vec<String> = of.members.iter().map(|(name, _)| format!("'{name}'")).collect();
                let names = if names.is_empty() { "never".to_owned() } else { names.join(" | ") };
                let _ = writeln!(text, "export type {} = number | {names};", self.enum_name(index));
            }
        }
        // Those whose fields are their outer record's are part of it.
        let nested: HashSet<usize> = (self.declarations.records.iter())
            .flat_map(|record| record.fields.iter().flatten())
            .filter_map(|field| match (&field.name, &field.ty) {
                (None, Type::Record(inner)) => Some(*inner),
                _ => None,
            })
            .collect();
        for (index, record) in self.declarations.records.iter().enumerate() {
            if nested.contains(&index) {
                continue;
            }
            if self.declarations.is_system(record.position) && !self.is_named(index) {
                continue;
            }
            let name = self.record_name(index);
            if !told.insert(name.clone()) {
                continue;
            }
            match &record.fields {
                Some(fields) => {
                    let _ = writeln!(text, "export interface {name} {{");
                    self.fields(fields, record.kind == RecordKind::Union, &mut text);
                    text.push_str("}\n");
                }
                None => {
                    let _ = writeln!(text, "export interface {name} extends Handle {{}}");
                }
            }
        }
        text.push_str("\nexport interface Declared {\n");
        for function in self.declarations.functions.iter().filter(|function| self.has(&function.name)) {
            let _ = writeln!(text, "  {}{};", key(&function.name), self.function(function));
        }
        for constant in self.declarations.constants.iter().filter(|constant| self.has(&constant.name)) {
            if self.declarations.is_system(constant.position) {
                continue;
            }
            let ty = match &constant.value {
                Constant::Integer(value) if value.unsigned_abs() < 1 << 53 => value.to_string(),
                Constant::Integer(_) => "bigint".to_owned(),
                Constant::Float(_) => "number".to_owned(),
                Constant::String(_) => "string".to_owned(),
            };
            let _ = writeln!(text, "  readonly {}: {ty};", key(&constant.name));
        }
        text.push_str("  readonly variables: {\n");
        for variable in self.declarations.variables.iter().filter(|variable| self.has(&variable.name)) {
            if self.only.is_some() && !self.declarations.is_system(variable.position) {
                let readonly = if variable.is_const { "readonly " } else { "" };
                let ty = self.value(&variable.ty, &variable.annotations, Goes::Out, true);
                let _ = writeln!(text, "    {readonly}{}: {ty};", key(&variable.name));
            }
        }
        text.push_str("  };\n}\n\nexport type Library = Bound<Declared>;\n");
        text.push_str(
            "/** Binds the library to an instance of its module. */\n\
             export function bind(instance: WebAssembly.Instance | Wasi, options?: HeaderOptions): Library;\n\
             /** Instantiates the module, with `imports` besides those of WASI, and binds the library. */\n\
             export function load(imports?: WebAssembly.Imports, options?: HeaderOptions): Promise<Library>;\n",
        );
        text
    }

    fn fields(&self, fields: &[cdef::Field], is_union: bool, text: &mut String) {
        for field in fields {
            match (&field.name, &field.ty) {
                (Some(name), ty) => {
                    let optional = if is_union { "?" } else { "" };
                    let ty = self.value(ty, &field.annotations, Goes::Out, true);
                    let _ = writeln!(text, "  {}{optional}: {ty};", key(name));
                }
                (None, Type::Record(inner)) if field.bits.is_none() => {
                    let inner = &self.declarations.records[*inner];
                    let inside = inner.fields.as_deref().unwrap_or_default();
                    self.fields(inside, is_union || inner.kind == RecordKind::Union, text);
                }
                _ => {}
            }
        }
    }

    /// `(a: number, b: string): void`.
    fn function(&self, function: &Function) -> String {
        let (mut params, mut results) = (Vec::new(), Vec::new());
        for (at, param) in function.signature.params.iter().enumerate() {
            if is_out(param) {
                let Type::Pointer(to) = &param.ty else { continue };
                let ty = match (&to.ty, &param.annotations.length) {
                    (Type::Char, Some(_)) => "string".to_owned(),
                    (ty, Some(_)) => format!("{}[]", self.value(ty, &to.annotations, Goes::Out, true)),
                    (ty, None) => self.value(ty, &param.annotations, Goes::Out, false),
                };
                results.push(ty);
                continue;
            }
            let name = param.name.clone().map_or_else(|| format!("arg{at}"), |name| argument(&name));
            params.push(format!("{name}: {}", self.value(&param.ty, &param.annotations, Goes::In, false)));
        }
        let tells_nothing = match function.annotations.outcome.as_ref().map(|outcome| &outcome.value) {
            Some(Outcome::Status(success)) => success.len() == 1,
            _ => false,
        };
        if function.signature.result != Type::Void && !tells_nothing {
            results.insert(0, self.value(&function.signature.result, &function.annotations, Goes::Out, false));
        }
        let result = match results.len() {
            0 => "void".to_owned(),
            1 => results.remove(0),
            _ => format!("[{}]", results.join(", ")),
        };
        format!("({}): {result}", params.join(", "))
    }

    /// The type of a value.
    fn value(&self, ty: &Type, annotations: &Annotations, goes: Goes, in_memory: bool) -> String {
        match ty {
            Type::Void => "void".to_owned(),
            Type::Bool => "boolean".to_owned(),
            Type::Char | Type::Float | Type::Double => "number".to_owned(),
            Type::LongDouble => "Uint8Array".to_owned(),
            Type::Int { width: Width::W64, .. } => {
                if goes == Goes::In { "bigint | number" } else { "bigint" }.to_owned()
            }
            Type::Int { .. } => "number".to_owned(),
            Type::Enum(index) if goes == Goes::In => self.enum_name(*index),
            Type::Enum(_) => "number".to_owned(),
            Type::Record(index) => self.record_name(*index),
            Type::Array(element, _) => match &**element {
                Type::Char if annotations.encoding.is_none() => "string".to_owned(),
                element => format!("({})[]", self.value(element, &Annotations::default(), goes, true)),
            },
            Type::Function(_) => "Function".to_owned(),
            Type::Pointer(to) => self.pointer(to, annotations, goes, in_memory),
        }
    }

    fn pointer(&self, to: &cdef::Pointee, annotations: &Annotations, goes: Goes, in_memory: bool) -> String {
        let has_length = annotations.length.is_some() || annotations.until.is_some();
        let is_text = (to.is_const || goes == Goes::Out || in_memory) && to.ty == Type::Char;
        let is_bytes = annotations.encoding.as_ref().is_some_and(|of| of.value == cdef::Encoding::Bytes);
        match &to.ty {
            _ if annotations.encoding.is_some() && !is_bytes => "string | null".to_owned(),
            Type::Char if is_text && !is_bytes => "string | null".to_owned(),
            Type::Record(index) => {
                let name = self.record_name(*index);
                let record = &self.declarations.records[*index];
                let is_handle =
                    record.fields.is_none() || record.annotations.opaque.is_some() || to.annotations.opaque.is_some();
                match (is_handle, has_length) {
                    (true, _) if record.fields.is_some() => "Handle | null".to_owned(),
                    (false, true) => format!("{name}[] | null"),
                    (false, false) if goes == Goes::In => format!("Partial<{name}> | Pointer<{name}> | null"),
                    _ => format!("{name} | null"),
                }
            }
            Type::Function(signature) => {
                let param = |(at, param): (usize, &Param)| {
                    let name = param.name.clone().map_or_else(|| format!("arg{at}"), |name| argument(&name));
                    let ty = match &param.ty {
                        Type::Pointer(_) => "any".to_owned(),
                        ty => self.value(ty, &param.annotations, Goes::Out, false),
                    };
                    format!("{name}: {ty}")
                };
                let params: Vec<String> = signature.params.iter().enumerate().map(param).collect();
                let result = match &signature.result {
                    Type::Pointer(_) => "any".to_owned(),
                    result => self.value(result, &Annotations::default(), Goes::In, false),
                };
                let function = format!("((this: void, {}) => {result})", params.join(", "));
                let function = function.replace("void, )", "void)");
                if goes == Goes::In || in_memory {
                    format!("{function} | Callback | null")
                } else {
                    format!("{function} | null")
                }
            }
            Type::Void | Type::LongDouble if !has_length => match goes {
                Goes::In => "Bytes | object | Address".to_owned(),
                Goes::Out => "Address".to_owned(),
            },
            Type::Void | Type::Char => match goes {
                Goes::In => "Bytes | Data<number>".to_owned(),
                Goes::Out if has_length => "number[] | Uint8Array | null".to_owned(),
                Goes::Out => "Address".to_owned(),
            },
            other => {
                let element = self.value(other, &to.annotations, goes, true);
                match goes {
                    Goes::In if !in_memory => format!("Data<{element}>"),
                    _ if has_length => format!("({element})[] | null"),
                    _ => "Address".to_owned(),
                }
            }
        }
    }

    fn is_named(&self, index: usize) -> bool {
        self.declarations.records[index].name.is_some()
    }

    fn record_name(&self, index: usize) -> String {
        match &self.declarations.records[index].name {
            // Tags are a name space of their own; so are TypeScript's words.
            Some(name) => type_name(name),
            None => format!("Record{index}"),
        }
    }

    fn enum_name(&self, index: usize) -> String {
        self.declarations.enums[index].name.as_ref().map_or_else(|| "number".to_owned(), |name| type_name(name))
    }
}

/// The name of a type, which is no word that TypeScript or this file's own text has.
fn type_name(name: &str) -> String {
    const TAKEN: [&str; 28] = [
        "any",
        "bigint",
        "boolean",
        "number",
        "object",
        "string",
        "symbol",
        "undefined",
        "unknown",
        "never",
        "void",
        "Callback",
        "Handle",
        "Bound",
        "HeaderOptions",
        "Pointer",
        "TypedArray",
        "Wasi",
        "Bytes",
        "Address",
        "Data",
        "Declared",
        "Library",
        "Partial",
        "Promise",
        "Function",
        "default",
        "class",
    ];
    if TAKEN.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// The name of a parameter.
fn argument(name: &str) -> String {
    const WORDS: [&str; 34] = [
        "arguments",
        "await",
        "class",
        "catch",
        "debugger",
        "delete",
        "export",
        "extends",
        "eval",
        "finally",
        "function",
        "import",
        "in",
        "instanceof",
        "implements",
        "interface",
        "let",
        "new",
        "null",
        "package",
        "private",
        "protected",
        "public",
        "static",
        "super",
        "this",
        "throw",
        "true",
        "false",
        "try",
        "typeof",
        "var",
        "with",
        "yield",
    ];
    if WORDS.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

/// The name of a property.
fn key(name: &str) -> String {
    if name == "constructor" { "'constructor'".to_owned() } else { name.to_owned() }
}

/// Whether a parameter is a pointer that the guest fills in.
fn is_out(param: &Param) -> bool {
    param.annotations.direction.as_ref().is_some_and(|direction| direction.value == Direction::Out)
}
