//! The native half of `Intl`: tags of locales, time zones, the order of texts, and their segments. What is about English
//! alone is written in JavaScript.

mod collator;
mod locales;
pub(crate) mod methods;
mod segments;
mod zones;

pub(crate) use collator::natives as collator_natives;
pub(crate) use locales::natives as locale_natives;
pub(crate) use segments::natives as segment_natives;
pub(crate) use zones::natives as zone_natives;
