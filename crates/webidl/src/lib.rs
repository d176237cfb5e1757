//! WebIDL conversions and their errors. Each error names the interface or function, the member or argument, what was
//! expected and what came.

// Output that cannot be written must not panic, and a library has no output of its own.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use qjs::{Borrowed, Call, Ctx, Cx, Exception, HostClass, Object, Result, Value};

/// Where something happens, for messages. It is only written out when a message needs it.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// What was called.
    pub function: &'a str,
    /// Which part of the call.
    pub part: Part,
}

/// A part of a call.
#[derive(Clone, Copy)]
pub enum Part {
    /// The call as a whole.
    Whole,
    /// The argument at this index.
    Argument(usize),
    /// The result.
    Result,
}

impl<'a> Place<'a> {
    /// The call as a whole.
    pub fn whole(function: &'a str) -> Self {
        Self { function, part: Part::Whole }
    }

    /// The argument at `index`, counted from 0.
    pub fn argument(function: &'a str, index: usize) -> Self {
        Self { function, part: Part::Argument(index) }
    }

    /// The result.
    pub fn result(function: &'a str) -> Self {
        Self { function, part: Part::Result }
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.function)?;
        match self.part {
            Part::Whole => Ok(()),
            Part::Argument(index) => write!(f, ": argument {}", index + 1),
            Part::Result => f.write_str(": result"),
        }
    }
}

/// A value in words, for messages: what JavaScript's `typeof` says, with `null` told apart.
pub fn describe(value: &Value<'_>) -> &'static str {
    use rquickjs::Type as T;
    match value.type_of() {
        T::Undefined | T::Uninitialized => "undefined",
        T::Null => "null",
        T::Bool => "a boolean",
        T::Int | T::Float => "a number",
        T::String => "a string",
        T::Symbol => "a symbol",
        T::BigInt => "a BigInt",
        T::Array => "an array",
        T::Function | T::Constructor => "a function",
        _ => "an object",
    }
}

/// A name with its indefinite article, for messages: "a Memory", "an Int32Array". What has one already keeps it.
pub fn with_article(name: &str) -> String {
    if name.starts_with("a ") || name.starts_with("an ") {
        return name.into();
    }
    let begins = |starts: &[&str]| {
        starts.iter().any(|start| name.get(..start.len()).is_some_and(|n| n.eq_ignore_ascii_case(start)))
    };
    // By sound, not by letter: "a Uint8Array", "a union".
    let is_vowel = begins(&["a", "e", "i", "o", "u"]) && !begins(&["uint", "uni"]);
    format!("{} {name}", if is_vowel { "an" } else { "a" })
}

/// The host value behind `this`.
///
/// # Errors
/// A TypeError for any other receiver.
pub fn this<'a, T: HostClass>(call: &Call<'a, '_>, member: &str) -> Result<&'a T> {
    qjs::class::get::<T>(call.this).ok_or_else(|| {
        let class = T::NAME.to_string_lossy();
        Exception::throw_type(&call.ctx, &format!("{class}.{member}: `this` is not {}", with_article(&class)))
    })
}

/// The host value behind an argument.
///
/// # Errors
/// A TypeError for anything else.
pub fn interface<'a, T: HostClass>(ctx: &Ctx<'_>, value: Borrowed<'a>, place: &str) -> Result<&'a T> {
    qjs::class::get::<T>(value).ok_or_else(|| {
        let came = describe(&value.to_value(Cx::of(ctx)));
        Exception::throw_type(ctx, &format!("{place} must be {}, got {came}", with_article(&T::NAME.to_string_lossy())))
    })
}

/// Refuses a call with fewer arguments than `needed`.
///
/// # Errors
/// A TypeError.
pub fn require_arguments(call: &Call<'_, '_>, place: &str, needed: usize) -> Result<()> {
    let came = call.args.len();
    if came >= needed {
        return Ok(());
    }
    let s = if needed == 1 { "" } else { "s" };
    Err(Exception::throw_type(&call.ctx, &format!("{place} takes {needed} argument{s}, got {came}")))
}

/// Refuses a constructor that is called without `new`.
///
/// # Errors
/// A TypeError.
pub fn require_new(call: &Call<'_, '_>, place: &str) -> Result<()> {
    if call.this.is_undefined() {
        return Err(Exception::throw_type(&call.ctx, &format!("{place} must be called with `new`")));
    }
    Ok(())
}

/// `[EnforceRange]` conversion to an unsigned integer of at most `max`. May run scripts (`valueOf`).
///
/// # Errors
/// A TypeError for anything but a finite number in range.
pub fn enforce_range(ctx: &Ctx<'_>, value: Borrowed<'_>, max: u64, place: &str) -> Result<u64> {
    let number = qjs::number::to_number(Cx::of(ctx), value)?;
    let whole = number.trunc();
    // A whole number up to 2^53 is exact; no larger maximum occurs.
    if !whole.is_finite() || whole < 0.0 || whole > max as f64 {
        let message = format!("{place} must be an integer from 0 to {max}, got {}", display_number(number));
        return Err(Exception::throw_type(ctx, &message));
    }
    Ok(whole as u64)
}

/// A number as JavaScript prints it (near enough for a message).
pub fn display_number(number: f64) -> String {
    if number.is_infinite() {
        if number > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        number.to_string()
    }
}

/// A dictionary argument: `undefined` and `null` are the empty dictionary.
///
/// # Errors
/// A TypeError for any other value that is not an object.
pub fn dictionary<'js>(ctx: &Ctx<'js>, value: Value<'js>, place: &str) -> Result<Option<Object<'js>>> {
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    let came = describe(&value);
    match value.into_object() {
        Some(object) => Ok(Some(object)),
        None => Err(Exception::throw_type(ctx, &format!("{place} must be an object, got {came}"))),
    }
}

/// A member of a dictionary; `None` if it is missing or `undefined`. Runs getters.
///
/// # Errors
/// What a getter throws.
pub fn member<'js>(dictionary: &Option<Object<'js>>, name: &str) -> Result<Option<Value<'js>>> {
    let Some(object) = dictionary else { return Ok(None) };
    let value: Value = object.get(name)?;
    Ok((!value.is_undefined()).then_some(value))
}

/// A member of a dictionary that must be there.
///
/// # Errors
/// A TypeError if it is missing or `undefined`, or what a getter throws.
pub fn required_member<'js>(
    ctx: &Ctx<'js>,
    dictionary: &Option<Object<'js>>,
    name: &str,
    place: &str,
) -> Result<Value<'js>> {
    member(dictionary, name)?.ok_or_else(|| Exception::throw_type(ctx, &format!("{place}: `{name}` is missing")))
}

/// A boolean member of a dictionary, false if it is missing.
///
/// # Errors
/// What a getter throws.
pub fn boolean_member(dictionary: &Option<Object<'_>>, name: &str) -> Result<bool> {
    let value = member(dictionary, name)?;
    value.map_or(Ok(false), |value| value.get().map(|rquickjs::Coerced(flag)| flag))
}

/// A `sequence<T>`: the values of an iterable object, each converted by `convert` before the next is asked for.
///
/// # Errors
/// A TypeError for anything but an iterable object, or what the iteration or a conversion throws.
pub fn sequence<'js, T>(
    ctx: &Ctx<'js>,
    value: &Value<'js>,
    place: &str,
    mut convert: impl FnMut(Value<'js>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut values = Vec::new();
    if value.is_object() && iterate(value, |value| convert(value).map(|value| values.push(value)))? {
        return Ok(values);
    }
    let came = describe(value);
    Err(Exception::throw_type(ctx, &format!("{place} must be an iterable object, got {came}")))
}

/// IteratorToList(GetIteratorFromMethod(`value`, GetMethod(`value`, %Symbol.iterator%))); `None` if there is no such
/// method.
///
/// # Errors
/// What the iteration throws.
pub fn iterator_to_list<'js>(value: &Value<'js>) -> Result<Option<Vec<Value<'js>>>> {
    let mut values = Vec::new();
    let iterable = iterate(value, |value| {
        values.push(value);
        Ok(())
    })?;
    Ok(iterable.then_some(values))
}

/// Calls `each` with the values of an iterable. Returns whether `value` is one. An error of `each` ends the iteration
/// without closing the iterator.
fn iterate<'js>(value: &Value<'js>, mut each: impl FnMut(Value<'js>) -> Result<()>) -> Result<bool> {
    let method = qjs::define::get(value, rquickjs::atom::PredefinedAtom::SymbolIterator)?;
    if method.is_undefined() || method.is_null() {
        return Ok(false);
    }
    let iterator: Object = function(value.ctx(), method)?.call((rquickjs::prelude::This(value.clone()),))?;
    let next = function(value.ctx(), iterator.get("next")?)?;
    loop {
        let step: Object = next.call((rquickjs::prelude::This(iterator.clone()),))?;
        if step.get::<_, rquickjs::Coerced<bool>>("done")?.0 {
            return Ok(true);
        }
        each(step.get("value")?)?;
    }
}

fn function<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> Result<qjs::Function<'js>> {
    let came = describe(&value);
    let function = value.into_function();
    function.ok_or_else(|| Exception::throw_type(ctx, &format!("expected an iterator's function, got {came}")))
}

/// A string for an enumeration or a USVString: a lone surrogate becomes U+FFFD. May run scripts (`toString`).
///
/// # Errors
/// What the conversion throws.
pub fn string(ctx: &Ctx<'_>, value: Borrowed<'_>) -> Result<String> {
    qjs::string::to_usv(ctx, value)
}

#[cfg(test)]
mod tests {
    use super::with_article;

    #[test]
    fn articles_go_by_sound() {
        let expected = [
            "a WebAssembly.Memory",
            "an ArgumentDef",
            "an Int32Array",
            "an image *",
            "an unsigned char",
            "a Uint8Array",
            "a UnionType",
            "a union",
            "a WASI",
            "a é",
            "a ",
        ];
        for name in expected {
            let (_, bare) = name.split_once(' ').unwrap();
            assert_eq!(with_article(bare), name);
            assert_eq!(with_article(name), name);
        }
    }
}
