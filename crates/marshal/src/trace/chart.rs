//! The chart of a trace: two panels over one axis of time, as SVG.

use std::fmt::Write;
use std::time::Duration;

use super::format::{bytes, time};
use super::{MemoryLine, Sample, Snapshot};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 944.0;
/// Where a panel's plot begins, below the title, the legend and room for the peak's label.
const HEAD: f64 = 52.0;
/// How many memories have lines of their own.
pub(super) const SERIES: usize = 4;

/// A panel: its title, its curves, and where it is.
struct Panel<'a> {
    title: &'a str,
    top: f64,
    height: f64,
    most: u64,
    duration: u64,
    curves: Vec<Curve<'a>>,
}

struct Curve<'a> {
    name: String,
    samples: &'a [Sample],
    /// The number of its colour.
    colour: usize,
    is_filled: bool,
}

impl Panel<'_> {
    fn bottom(&self) -> f64 {
        self.top + HEAD + self.height
    }

    fn x(&self, at: u64) -> f64 {
        LEFT + (RIGHT - LEFT) * (at as f64 / self.duration.max(1) as f64).min(1.0)
    }

    fn y(&self, value: u64) -> f64 {
        self.bottom() - self.height * (value as f64 / self.most.max(1) as f64)
    }

    fn write(&self, out: &mut String) {
        let title = self.title;
        let _ = write!(out, r#"<text class="title" x="0" y="{:.0}">{title}</text>"#, self.top + 14.0);
        self.write_legend(out);
        let step = byte_step(self.most);
        for tick in (0..=self.most / step).map(|tick| tick * step) {
            let (y, label) = (self.y(tick), tick_label(tick));
            let _ = write!(out, r#"<path class="grid" d="M{LEFT} {y:.1}H{RIGHT}"/>"#);
            let _ = write!(
                out,
                r#"<text class="tick" text-anchor="end" x="{:.0}" y="{:.1}">{label}</text>"#,
                LEFT - 8.0,
                y + 4.0
            );
        }
        self.curves.iter().rev().for_each(|curve| self.write_curve(out, curve));
    }

    fn write_legend(&self, out: &mut String) {
        let mut x = LEFT;
        for curve in &self.curves {
            let (y, colour, name) = (self.top + 32.0, curve.colour, &curve.name);
            let _ = write!(
                out,
                r#"<rect class="key s{colour}" x="{x:.0}" y="{:.0}" width="14" height="4" rx="2"/>"#,
                y - 6.0
            );
            let _ = write!(out, r#"<text class="legend" x="{:.0}" y="{y:.0}">{name}</text>"#, x + 20.0);
            x += 44.0 + name.chars().count() as f64 * 6.6;
        }
    }

    /// A curve through the most of every sample, and the space down to the least.
    fn write_curve(&self, out: &mut String, curve: &Curve<'_>) {
        let colour = curve.colour;
        let (Some(first), Some(last)) = (curve.samples.first(), curve.samples.last()) else { return };
        let (mut high, mut low) = (Vec::new(), Vec::new());
        for (at, sample) in curve.samples.iter().enumerate() {
            let x = self.x(sample.at);
            let next = curve.samples.get(at + 1).map_or(RIGHT, |next| self.x(next.at));
            // A sample is about as wide as two of these; after them the curve has the value at the sample's end.
            let end = (x + 1.2).min(next);
            let steps = [(x, sample.high, sample.low), (end, sample.high, sample.low), (end, sample.last, sample.last)];
            for (x, most, least) in steps.into_iter().chain([(next, sample.last, sample.last)]) {
                high.push((x, self.y(most)));
                low.push((x, self.y(least)));
            }
        }
        let (base, x0) = (self.bottom(), self.x(first.at));
        let line = path(&high);
        if curve.is_filled {
            low.reverse();
            let _ = write!(out, r#"<path class="area s{colour}" d="M{x0:.1} {base:.1}L{line}V{base:.1}Z"/>"#);
            let _ = write!(out, r#"<path class="band s{colour}" d="M{line}L{}Z"/>"#, path(&low));
        }
        let text = format!("{}: {} at the end", curve.name, bytes(last.last));
        let _ =
            write!(out, r#"<path class="line s{colour}" d="M{x0:.1} {base:.1}L{line}"><title>{text}</title></path>"#);
    }
}

/// Points that differ, as a path has them.
fn path(points: &[(f64, f64)]) -> String {
    let mut text = String::new();
    let mut before = String::new();
    for (x, y) in points {
        let point = format!("{x:.1} {y:.1} ");
        if point != before {
            text += &point;
            before = point;
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// A multiple of a power of two, in full: `1.25 MiB`.
fn tick_label(bytes: u64) -> String {
    let names = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = (bytes.max(1).ilog2() / 10).min(4);
    format!("{} {}", bytes as f64 / (1_u64 << (10 * power)) as f64, names[power as usize])
}

/// A power of two that leads to at most five lines.
fn byte_step(most: u64) -> u64 {
    let mut step = 1;
    while most / step > 5 {
        step *= 2;
    }
    step
}

/// A number of microseconds that leads to at most eight marks, and their unit: its length and digits.
fn time_step(duration: u64) -> (u64, f64, &'static str, usize) {
    let steps = (0..16).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let step = steps.into_iter().find(|step| duration / step <= 8).unwrap_or(u64::MAX);
    let (unit, name): (u64, _) = match step {
        0..500 => (1, "µs"),
        500..500_000 => (1000, "ms"),
        _ => (1_000_000, "s"),
    };
    let digits = if step.is_multiple_of(unit) {
        0
    } else if (step * 10).is_multiple_of(unit) {
        1
    } else {
        2
    };
    (step, unit as f64, name, digits)
}

/// The length of a scale to `most`: a whole number of its steps.
fn scale(most: u64) -> u64 {
    let step = byte_step(most.max(1));
    most.max(1).div_ceil(step) * step
}

impl Snapshot {
    /// The memories that have lines of their own, and their colours.
    fn drawn(&self) -> impl Iterator<Item = (usize, &MemoryLine)> {
        self.memories.iter().take(SERIES).enumerate().map(|(at, memory)| (at + 1, memory))
    }

    pub(super) fn write_chart(&self, out: &mut String) {
        let duration = (self.duration.as_micros() as u64).max(1);
        let all = Curve { name: "all memories".into(), samples: &self.history, colour: 0, is_filled: true };
        let mut owned = vec![all];
        if self.memories.len() > 1 {
            owned.extend(self.drawn().map(|(colour, memory)| curve(memory, &memory.history, colour)));
        }
        let most = scale(self.peak.amount.bytes);
        let title = "Bytes of guest memory that the host owns";
        let first = Panel { title, top: 0.0, height: 190.0, most, duration, curves: owned };
        let lengths: Vec<_> = self.drawn().map(|(colour, memory)| curve(memory, &memory.lengths, colour)).collect();
        let longest = lengths.iter().flat_map(|curve| curve.samples).map(|sample| sample.high).max();
        let (title, top) = ("Length of the guests’ memories", first.bottom() + 22.0);
        let second = Panel { title, top, height: 96.0, most: scale(longest.unwrap_or(0)), duration, curves: lengths };
        let height = second.bottom() + 44.0;
        let label = "Bytes that the host owns, and the length of the guests’ memories, over time";
        let _ = write!(out, r#"<svg viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-label="{label}">"#);
        first.write(out);
        second.write(out);
        self.write_peak_mark(out, &first);
        write_time_axis(out, &first, &second);
        *out += "</svg>\n";
    }

    fn write_peak_mark(&self, out: &mut String, panel: &Panel<'_>) {
        if self.peak.amount.bytes == 0 {
            return;
        }
        let at = self.peak.at.as_micros() as u64;
        let (x, y) = (panel.x(at), panel.y(self.peak.amount.bytes));
        let _ = write!(out, r#"<path class="mark" d="M{x:.1} {y:.1}V{:.1}"/>"#, panel.bottom());
        let _ = write!(out, r#"<circle class="peak" cx="{x:.1}" cy="{y:.1}" r="4.5"/>"#);
        let text = format!("peak {} after {}", bytes(self.peak.amount.bytes), time(self.peak.at));
        // The label is beside the mark, on the side that has room.
        let (anchor, x) = if x > (LEFT + RIGHT) / 2.0 { ("end", x - 9.0) } else { ("start", x + 9.0) };
        let _ =
            write!(out, r#"<text class="label" text-anchor="{anchor}" x="{x:.1}" y="{:.1}">{text}</text>"#, y - 6.0);
    }
}

fn curve<'a>(memory: &MemoryLine, samples: &'a [Sample], colour: usize) -> Curve<'a> {
    Curve { name: memory.name(), samples, colour, is_filled: false }
}

fn write_time_axis(out: &mut String, first: &Panel<'_>, second: &Panel<'_>) {
    let (step, unit, name, digits) = time_step(first.duration);
    for tick in (0..=first.duration / step).map(|tick| tick * step) {
        let (x, label) = (first.x(tick), tick as f64 / unit);
        for panel in [first, second] {
            let _ = write!(out, r#"<path class="axis" d="M{x:.1} {:.1}v5"/>"#, panel.bottom());
        }
        let y = second.bottom() + 19.0;
        let _ = write!(out, r#"<text class="tick" text-anchor="middle" x="{x:.1}" y="{y:.1}">{label:.digits$}</text>"#);
    }
    for panel in [first, second] {
        let _ = write!(out, r#"<path class="axis" d="M{LEFT} {:.1}H{RIGHT}"/>"#, panel.bottom());
    }
    let (x, y) = ((LEFT + RIGHT) / 2.0, second.bottom() + 38.0);
    let until = time(Duration::from_micros(first.duration));
    let text = format!("time since the trace began, in {name} ({until} in all)");
    let _ = write!(out, r#"<text class="tick" text-anchor="middle" x="{x:.0}" y="{y:.0}">{text}</text>"#);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales() {
        for most in [1, 2, 1000, 1023, 1024, 1025, 5 << 20, (5 << 20) + 1, 3 << 30, 1 << 45] {
            let (step, scale) = (byte_step(most), scale(most));
            assert!(scale >= most && scale.is_multiple_of(step) && scale / step <= 6, "{most}: {scale} by {step}");
        }
        let labels = [(0, "0 B"), (768 << 10, "768 KiB"), (5 << 18, "1.25 MiB"), (3 << 30, "3 GiB")];
        labels.iter().for_each(|&(tick, label)| assert_eq!(tick_label(tick), label));
        assert_eq!(time_step(1_000_000), (200_000, 1000.0, "ms", 0));
        assert_eq!(time_step(8_000_000), (1_000_000, 1e6, "s", 0));
        assert_eq!(time_step(4_600_000), (1_000_000, 1e6, "s", 0));
        assert_eq!(time_step(3_900_000), (500_000, 1e6, "s", 1));
        assert_eq!(time_step(1), (1, 1.0, "µs", 0));
    }
}
