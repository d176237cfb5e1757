//! What memories and tables have in common: addresses of 32 or 64 bits, and limits.

use qjs::{Borrowed, Ctx, Cx, Exception, Object, Result, Value};
use rquickjs::{Function, JsLifetime};

/// More bits than any BigInt of QuickJS has.
const LONGEST_BIGINT: i32 = 1 << 30;

/// `BigInt.asIntN` as it was when the API was installed: QuickJS's C interface has no ToBigInt.
#[derive(JsLifetime)]
struct AsIntN<'js>(Function<'js>);

/// Keeps what the conversions need before scripts can change it.
pub(crate) fn prepare(ctx: &Ctx<'_>) -> Result<()> {
    let bigint: Object = ctx.globals().get("BigInt")?;
    ctx.store_userdata(AsIntN(bigint.get("asIntN")?)).map_err(|_| rquickjs::Error::Unknown)?;
    Ok(())
}

/// ToBigInt. May run scripts.
pub(crate) fn to_bigint<'js>(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Value<'js>> {
    if value.is_big_int() {
        return Ok(value);
    }
    let as_int_n = ctx.userdata::<AsIntN>().ok_or(rquickjs::Error::Unknown)?.0.clone();
    as_int_n.call((LONGEST_BIGINT, value))
}

/// AddressValueToU64. May run scripts.
pub(crate) fn address_to_u64<'js>(ctx: &Ctx<'js>, value: Value<'js>, wide: bool, place: &str) -> Result<u64> {
    if !wide {
        return webidl::enforce_range(ctx, Borrowed::of(&value), u64::from(u32::MAX), place);
    }
    let integer = to_bigint(ctx, value)?;
    // The C interface gives only a BigInt's lowest 64 bits; its digits tell whether there are more.
    let digits = webidl::string(ctx, Borrowed::of(&integer))?;
    digits.parse().map_err(|_| {
        Exception::throw_type(ctx, &format!("{place} must be an integer from 0 to 2^64 - 1, got {digits}"))
    })
}

/// U64ToAddressValue.
pub(crate) fn u64_to_address<'js>(ctx: &Ctx<'js>, value: u64, wide: bool) -> Result<Value<'js>> {
    let cx = Cx::of(ctx);
    if wide { cx.biguint(value).into_value(cx) } else { Ok(Value::new_number(ctx.clone(), value as f64)) }
}

/// Whether a descriptor's `address` asks for 64-bit addresses.
pub(crate) fn address_type<'js>(ctx: &Ctx<'js>, dictionary: &Option<Object<'js>>, place: &str) -> Result<bool> {
    let Some(value) = webidl::member(dictionary, "address")? else { return Ok(false) };
    match webidl::string(ctx, Borrowed::of(&value))?.as_str() {
        "i32" => Ok(false),
        "i64" => Ok(true),
        other => {
            let message = format!("{place}: `address` must be \"i32\" or \"i64\", got \"{other}\"");
            Err(Exception::throw_type(ctx, &message))
        }
    }
}

/// `initial` and `maximum` of a memory's or table's descriptor. `minimum`, the name that `type()` uses, stands for
/// `initial`.
pub(crate) struct Limits {
    pub(crate) initial: u64,
    pub(crate) maximum: Option<u64>,
}

impl Limits {
    /// Reads and converts all members. Each is converted when it is read, as the official tests have it; in the
    /// specification's text the conversion comes after the whole dictionary.
    pub(crate) fn read<'js>(ctx: &Ctx<'js>, dictionary: &Option<Object<'js>>, wide: bool, place: &str) -> Result<Self> {
        let member = |name| -> Result<Option<u64>> {
            let Some(value) = webidl::member(dictionary, name)? else { return Ok(None) };
            address_to_u64(ctx, value, wide, &format!("{place}: `{name}`")).map(Some)
        };
        let initial = match (member("initial")?, member("minimum")?) {
            (Some(initial), None) | (None, Some(initial)) => initial,
            (None, None) => return Err(Exception::throw_type(ctx, &format!("{place}: `initial` is missing"))),
            (Some(_), Some(_)) => {
                return Err(Exception::throw_type(ctx, &format!("{place}: both `initial` and `minimum` are given")));
            }
        };
        Ok(Self { initial, maximum: member("maximum")? })
    }

    /// Refuses limits that are out of order or start above `limit`.
    pub(crate) fn check(&self, ctx: &Ctx<'_>, place: &str, limit: u64) -> Result<()> {
        let Self { initial, maximum } = self;
        if let Some(maximum) = maximum.filter(|maximum| initial > maximum) {
            let message = format!("{place}: `initial` {initial} is above `maximum` {maximum}");
            return Err(Exception::throw_range(ctx, &message));
        }
        if *initial > limit {
            let message = format!("{place}: `initial` {initial} is above the limit of {limit}");
            return Err(Exception::throw_range(ctx, &message));
        }
        Ok(())
    }
}

/// Why limits do not fit those that an import asks for; `None` if they do.
pub(crate) fn mismatch(
    minimum: u64,
    wanted: Option<u64>,
    length: u64,
    maximum: Option<u64>,
    unit: &str,
) -> Option<String> {
    if length < minimum {
        return Some(format!("expected at least {minimum} {unit}, got {length}"));
    }
    match (wanted, maximum) {
        (Some(wanted), None) => Some(format!("expected at most {wanted} {unit}, got no maximum")),
        (Some(wanted), Some(maximum)) if maximum > wanted => {
            Some(format!("expected at most {wanted} {unit}, got a maximum of {maximum}"))
        }
        _ => None,
    }
}
