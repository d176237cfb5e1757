//! The methods of other classes that ECMA-402 defines: `toLocaleString` and its kin. Each is a small native function, so
//! that a program that does not call them only pays for these.

use std::sync::OnceLock;

use icu_collator::CollatorBorrowed;
use rquickjs::function::{Rest, This};
use rquickjs::{Ctx, Function, Object, Value, object::Property};

use super::collator;
use crate::internal;

/// The class, the method, and how many parameters it has.
const METHODS: [(&str, &str, usize); 12] = [
    ("Number", "toLocaleString", 0),
    ("BigInt", "toLocaleString", 0),
    // Whose names of zones come from the same place.
    ("Date", "toString", 0),
    ("Date", "toTimeString", 0),
    ("Date", "toLocaleString", 0),
    ("Date", "toLocaleDateString", 0),
    ("Date", "toLocaleTimeString", 0),
    ("Array", "toLocaleString", 0),
    ("Uint8Array", "toLocaleString", 0),
    ("String", "localeCompare", 1),
    ("String", "toLocaleLowerCase", 0),
    ("String", "toLocaleUpperCase", 0),
];

/// Replaces the engine's own methods.
pub(crate) fn define<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<()> {
    for (class, name, length) in METHODS {
        let mut prototype: Object = ctx.globals().get::<_, Object>(class)?.get("prototype")?;
        if class == "Uint8Array" {
            prototype = prototype.get_prototype().ok_or(rquickjs::Error::Unknown)?;
        }
        let call = move |ctx: Ctx<'js>, this: This<Value<'js>>, arguments: Rest<Value<'js>>| {
            run(&ctx, class, name, &this, &arguments)
        };
        let method = Function::new(ctx.clone(), call)?.with_name(name)?.with_length(length)?;
        prototype.prop(name, Property::from(method).writable().configurable())?;
    }
    Ok(())
}

fn run<'js>(
    ctx: &Ctx<'js>,
    class: &str,
    name: &str,
    this: &Value<'js>,
    arguments: &[Value<'js>],
) -> rquickjs::Result<Value<'js>> {
    static ROOT: OnceLock<Option<CollatorBorrowed<'static>>> = OnceLock::new();
    // What nearly every comparison is.
    if let (("String", "localeCompare"), [other]) = ((class, name), arguments)
        && let Some(root) = ROOT.get_or_init(collator::root)
        && let Some(order) = collator::compare(ctx, root, this, other)?
    {
        return Ok(Value::new_int(ctx.clone(), order));
    }
    let methods: Object = internal::require(ctx, "intl_methods")?.get(class)?;
    let argument = |index| arguments.get(index).cloned().unwrap_or_else(|| Value::new_undefined(ctx.clone()));
    methods.get::<_, Function>(name)?.call((this.clone(), argument(0), argument(1), argument(2)))
}
