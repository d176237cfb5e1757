//! The order of texts: the Unicode Collation Algorithm with the tailorings of CLDR, by `icu_collator`.

use std::borrow::Cow;
use std::cmp::Ordering;

use icu_collator::options::{AlternateHandling, CaseLevel, CollatorOptions, Strength};
use icu_collator::preferences::{CollationCaseFirst, CollationNumericOrdering};
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale::Locale;
use qjs::{Borrowed, Cx, string::Units};
use rquickjs::{Class, Ctx, Exception, JsLifetime, Object, Value, class::Trace};

use crate::internal::{def, strings::UsvString};

/// What an `Intl.Collator` compares with.
#[derive(Trace, JsLifetime)]
#[rquickjs::class]
pub(crate) struct CollatorState {
    #[qjs(skip_trace)]
    collator: CollatorBorrowed<'static>,
}

fn collator(
    tag: &str,
    sensitivity: &str,
    numeric: bool,
    case_first: &str,
    ignore_punctuation: bool,
) -> Option<CollatorBorrowed<'static>> {
    let mut preferences = CollatorPreferences::from(&Locale::try_from_str(tag).ok()?);
    preferences.numeric_ordering =
        Some(if numeric { CollationNumericOrdering::True } else { CollationNumericOrdering::False });
    // Unless asked, as the language has it.
    preferences.case_first = match case_first {
        "upper" => Some(CollationCaseFirst::Upper),
        "lower" => Some(CollationCaseFirst::Lower),
        "false" => Some(CollationCaseFirst::False),
        _ => None,
    };
    let mut options = CollatorOptions::default();
    options.strength = Some(match sensitivity {
        "base" | "case" => Strength::Primary,
        "accent" => Strength::Secondary,
        _ => Strength::Tertiary,
    });
    options.case_level = Some(if sensitivity == "case" { CaseLevel::On } else { CaseLevel::Off });
    if ignore_punctuation {
        options.alternate_handling = Some(AlternateHandling::Shifted);
    }
    CollatorBorrowed::try_new(preferences, options).ok()
}

/// The order of two strings; `None` if one of the values is not a string.
pub(crate) fn compare<'js>(
    ctx: &Ctx<'js>,
    collator: &CollatorBorrowed<'_>,
    one: &Value<'js>,
    two: &Value<'js>,
) -> rquickjs::Result<Option<i32>> {
    let cx = Cx::of(ctx);
    let (one, two) = (Units::of(cx, Borrowed::of(one))?, Units::of(cx, Borrowed::of(two))?);
    let (Some(one), Some(two)) = (one, two) else { return Ok(None) };
    let order = match (one, two) {
        (Units::Narrow(one), Units::Narrow(two)) if one.is_ascii() && two.is_ascii() => collator.compare_utf8(one, two),
        _ => collator.compare_utf16(&wide(one), &wide(two)),
    };
    Ok(Some(match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

pub(super) fn wide(units: Units<'_>) -> Cow<'_, [u16]> {
    match units {
        Units::Narrow(units) => Cow::Owned(units.iter().map(|&unit| unit.into()).collect()),
        Units::Wide(units) => Cow::Borrowed(units),
    }
}

/// The collator of a comparison that names no locale.
pub(crate) fn root() -> Option<CollatorBorrowed<'static>> {
    CollatorBorrowed::try_new(CollatorPreferences::default(), CollatorOptions::default()).ok()
}

/// The native functions of `intl_collator.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(
        &native,
        "collator",
        |ctx: Ctx<'js>,
         tag: UsvString,
         sensitivity: UsvString,
         numeric: bool,
         case_first: UsvString,
         ignore_punctuation: bool| {
            let collator = collator(&tag, &sensitivity, numeric, &case_first, ignore_punctuation)
                .ok_or_else(|| Exception::throw_range(&ctx, "Incorrect locale information provided"))?;
            Class::instance(ctx, CollatorState { collator })
        },
    )?;
    def(&native, "caseFirst", |state: Class<'js, CollatorState>| -> rquickjs::Result<&'static str> {
        Ok(match state.try_borrow()?.collator.resolved_options().case_first {
            CollationCaseFirst::Upper => "upper",
            CollationCaseFirst::Lower => "lower",
            _ => "false",
        })
    })?;
    def(
        &native,
        "compare",
        |ctx: Ctx<'js>, state: Class<'js, CollatorState>, one: Value<'js>, two: Value<'js>| -> rquickjs::Result<i32> {
            Ok(compare(&ctx, &state.try_borrow()?.collator, &one, &two)?.unwrap_or(0))
        },
    )?;
    Ok(native)
}
