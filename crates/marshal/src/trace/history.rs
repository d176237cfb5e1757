//! How a number of bytes changed over time, in bounded memory.

/// What the number was during a part of the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// When the part began, in microseconds since the trace began.
    pub at: u64,
    /// The least that the number was.
    pub low: u64,
    /// The most that the number was.
    pub high: u64,
    /// What the number was at the end.
    pub last: u64,
}

/// Samples of equal lengths, without those in which nothing happened. When there are too many, neighbours are merged;
/// the extremes stay.
#[derive(Debug)]
pub(super) struct History {
    /// How many microseconds a sample stands for.
    width: u64,
    samples: Vec<Sample>,
}

impl History {
    /// The most samples.
    pub(super) const LIMIT: usize = 512;

    pub(super) fn new() -> Self {
        Self { width: 1, samples: Vec::new() }
    }

    /// Records that the number is `value` from `at` on, which is no earlier than the last `at`.
    pub(super) fn record(&mut self, at: u64, value: u64) {
        let at = at / self.width * self.width;
        let (before, is_same) = match self.samples.last_mut() {
            Some(sample) if sample.at >= at => {
                sample.low = sample.low.min(value);
                sample.high = sample.high.max(value);
                sample.last = value;
                return;
            }
            Some(sample) => (sample.last, sample.last == value),
            None => (value, false),
        };
        if is_same {
            return;
        }
        // Until it changed, the number was what it was before.
        self.samples.push(Sample { at, low: before.min(value), high: before.max(value), last: value });
        while self.samples.len() > Self::LIMIT {
            self.halve();
        }
    }

    #[cold]
    fn halve(&mut self) {
        self.width *= 2;
        let width = self.width;
        self.samples.dedup_by(|later, sample| {
            let is_one = later.at / width == sample.at / width;
            if is_one {
                sample.low = sample.low.min(later.low);
                sample.high = sample.high.max(later.high);
                sample.last = later.last;
            }
            is_one
        });
        self.samples.iter_mut().for_each(|sample| sample.at = sample.at / width * width);
    }

    pub(super) fn samples(&self) -> &[Sample] {
        &self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_changes_fit_and_keep_their_extremes() {
        let mut history = History::new();
        for at in 0..1_000_000_u64 {
            let value = match at {
                777_777 => 1_000_000,
                888_888 => 0,
                _ => 1000 + at % 8,
            };
            history.record(at * 3, value);
            assert!(history.samples().len() <= History::LIMIT);
        }
        let samples = history.samples();
        assert!(samples.len() > History::LIMIT / 4, "{} are too few to draw", samples.len());
        assert!(samples.windows(2).all(|pair| pair[0].at < pair[1].at));
        let peak = samples.iter().max_by_key(|sample| sample.high).unwrap();
        assert_eq!(peak.high, 1_000_000);
        assert!(peak.at <= 777_777 * 3 && 777_777 * 3 < peak.at + history.width);
        assert_eq!(samples.iter().map(|sample| sample.low).min(), Some(0));
        assert_eq!(samples.last().unwrap().last, 1007);
    }

    #[test]
    fn bursts_far_apart_stay_apart() {
        let mut history = History::new();
        for burst in 0..1000_u64 {
            history.record(burst * 1_000_000_000, 5);
            history.record(burst * 1_000_000_000 + 1, 0);
        }
        assert!(history.samples().len() <= History::LIMIT);
        assert!(history.samples().iter().all(|sample| (sample.low, sample.high, sample.last) == (0, 5, 0)));
    }

    #[test]
    fn what_does_not_change_takes_no_room() {
        let mut history = History::new();
        (0..1000).for_each(|at| history.record(at, 7));
        assert_eq!(history.samples(), [Sample { at: 0, low: 7, high: 7, last: 7 }]);
    }
}
