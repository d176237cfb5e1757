//! Time zones by their IANA names, from the system's database or else the one in the program, by `jiff`.

use jiff::{
    Timestamp,
    tz::{Dst, TimeZone, TimeZoneDatabase},
};
use qjs::array::List;
use rquickjs::{Class, Ctx, JsLifetime, Object, class::Trace};

use crate::internal::{def, state::Platform, strings::UsvString};

/// The zone of an `Intl.DateTimeFormat`.
#[derive(Trace, JsLifetime)]
#[rquickjs::class]
pub(crate) struct ZoneState {
    #[qjs(skip_trace)]
    zone: TimeZone,
}

/// A zone by its name in any case. The system's folder has names that are not zones' own.
fn zone(name: &str) -> Option<TimeZone> {
    let is_other = ["posix/", "right/"].iter().any(|start| name.len() > 6 && name[..6].eq_ignore_ascii_case(start));
    if is_other || !name.is_ascii() || ["localtime", "posixrules", "Factory", "leapseconds"].contains(&name) {
        return None;
    }
    let found = jiff::tz::db().get(name).or_else(|_| TimeZoneDatabase::bundled().get(name)).ok()?;
    found.iana_name().is_some().then_some(found)
}

/// The zone that the variable `TZ` names, or else the machine's.
fn own_zone(ctx: &Ctx<'_>) -> rquickjs::Result<String> {
    let variable = Platform::of(ctx)?.environment.get("TZ");
    let named = variable.and_then(|name| zone(name.strip_prefix(':').unwrap_or(&name)));
    let zone = named.or_else(|| TimeZone::try_system().ok());
    Ok(zone.and_then(|zone| zone.iana_name().map(str::to_owned)).unwrap_or_else(|| "UTC".to_owned()))
}

/// The native functions of `intl_zones.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "zone", |ctx: Ctx<'js>, name: UsvString| {
        zone(&name).map(|zone| Class::instance(ctx, ZoneState { zone })).transpose()
    })?;
    def(&native, "zoneName", |state: Class<'js, ZoneState>| -> rquickjs::Result<Option<String>> {
        Ok(state.try_borrow()?.zone.iana_name().map(str::to_owned))
    })?;
    def(&native, "ownZone", |ctx: Ctx<'js>| own_zone(&ctx))?;
    // Seconds east of UTC, and 1 for daylight saving time.
    def(&native, "offset", |state: Class<'js, ZoneState>, time: f64| -> rquickjs::Result<List<[i32; 2]>> {
        let (first, last) = (Timestamp::MIN, Timestamp::MAX);
        let ms = (time as i64).clamp(first.as_millisecond(), last.as_millisecond());
        let state = state.try_borrow()?;
        let info = state.zone.to_offset_info(Timestamp::from_millisecond(ms).unwrap_or(first));
        Ok(List([info.offset().seconds(), i32::from(info.dst() == Dst::Yes)]))
    })?;
    Ok(native)
}
