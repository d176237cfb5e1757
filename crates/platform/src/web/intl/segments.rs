//! Where the graphemes, words and sentences of a text end, by `icu_segmenter`.

use icu_segmenter::options::{SentenceBreakInvariantOptions, WordBreakInvariantOptions};
use icu_segmenter::{GraphemeClusterSegmenter, SentenceSegmenter, WordSegmenter};
use qjs::{Borrowed, Cx, string::Units};
use rquickjs::{Ctx, Exception, Object, TypedArray, Value};

use super::collator::wide;
use crate::internal::{def, strings::UsvString};

/// Twice the index of each boundary except 0, and 1 more if what ends there is a word.
fn boundaries(granularity: &str, units: &[u16]) -> Vec<u32> {
    let mark = |(index, is_word): (usize, bool)| (index as u32) << 1 | u32::from(is_word);
    let plain = |index| mark((index, false));
    match granularity {
        "word" => {
            let segmenter = WordSegmenter::new_dictionary(WordBreakInvariantOptions::default());
            let words = segmenter.segment_utf16(units).iter_with_word_type();
            words.map(|(index, kind)| mark((index, kind.is_word_like()))).skip(1).collect()
        }
        "sentence" => {
            let segmenter = SentenceSegmenter::new(SentenceBreakInvariantOptions::default());
            segmenter.segment_utf16(units).skip(1).map(plain).collect()
        }
        _ => GraphemeClusterSegmenter::new().segment_utf16(units).skip(1).map(plain).collect(),
    }
}

/// The native functions of `intl_segmenter.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(
        &native,
        "boundaries",
        |ctx: Ctx<'js>, granularity: UsvString, text: Value<'js>| -> rquickjs::Result<TypedArray<'js, u32>> {
            let Some(units) = Units::of(Cx::of(&ctx), Borrowed::of(&text))? else {
                return Err(Exception::throw_type(&ctx, "expected a string"));
            };
            qjs::room::check(&ctx, units.len().saturating_mul(4))?;
            TypedArray::new(ctx.clone(), boundaries(&granularity, &wide(units)))
        },
    )?;
    Ok(native)
}
