//! The guest of `guests/src/typed.c`, with addresses of both widths.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

use island::{Engine, EngineOptions, Module};
use marshal::{Guest, Marshal};

/// One with addresses of 32 bits, one with 64.
pub fn guests() -> [Guest; 2] {
    ["typed", "typed64"].map(|name| {
        let path = format!("{}/../../guests/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let module = Module::new(&engine, &std::fs::read(path).unwrap()).unwrap();
        Guest::new(&engine, &module).unwrap()
    })
}

/// Runs `test` with each guest, which must have nothing allocated at its end.
pub fn with_guests(test: impl Fn(&Guest)) {
    for guest in guests() {
        test(&guest);
        assert_eq!(live(&guest), (0, 0), "blocks and bytes that were left");
    }
}

/// The blocks, and their bytes, that the guest's allocator has given out.
pub fn live(guest: &Guest) -> (i32, usize) {
    guest.heap().unwrap().drain().unwrap();
    let blocks = guest.function::<(), i32>("live_blocks").unwrap();
    (blocks.call(()).unwrap(), guest.function::<(), usize>("live_bytes").unwrap().call(()).unwrap())
}

/// Lets `n` more allocations succeed; all, if it is negative.
pub fn set_malloc_budget(guest: &Guest, n: i32) {
    guest.function::<(i32,), ()>("set_malloc_budget").unwrap().call((n,)).unwrap();
}

/// Calls `call` with room for no allocation, one, two …, until it succeeds; how often it failed. Whenever it does,
/// nothing may be left.
pub fn starve<T>(guest: &Guest, call: impl Fn() -> Option<T>) -> usize {
    let before = live(guest);
    for budget in 0..1000 {
        set_malloc_budget(guest, budget as i32);
        let done = call();
        set_malloc_budget(guest, -1);
        if done.is_some() {
            return budget;
        }
        assert_eq!(live(guest), before, "left behind when there was memory for {budget} blocks");
    }
    panic!("it never succeeds");
}

#[derive(Marshal, Debug, Clone, Copy, PartialEq)]
#[repr(i32)]
pub enum Colour {
    Red,
    Green = 4,
    Blue,
}

#[derive(Marshal, Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub id: i32,
    pub x: f64,
    pub y: f64,
}

#[derive(Marshal, Debug, Clone, PartialEq)]
pub struct Series {
    pub colour: Colour,
    pub name: Option<String>,
    pub count: u8,
    #[marshal(len = "count")]
    pub values: Vec<f64>,
    pub flags: [bool; 3],
    pub next: Option<Box<Series>>,
}

pub fn series(name: Option<&str>, values: &[f64], next: Option<Series>) -> Series {
    let (name, count) = (name.map(str::to_string), values.len() as u8);
    let (values, next) = (values.to_vec(), next.map(Box::new));
    Series { colour: Colour::Blue, name, count, values, flags: [true, false, true], next }
}

/// A small generator of numbers that look random and are the same each time (xorshift64*).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// With many of the characters that encodings differ in.
    pub fn text(&mut self, is_latin1: bool) -> String {
        let some =
            ['a', 'é', '\u{7f}', '\u{80}', '\u{ff}', '\u{100}', '\u{7ff}', '\u{800}', '\u{ffff}', '🌊', '\u{10ffff}'];
        let end = if is_latin1 { 5 } else { some.len() };
        (0..self.below(12)).map(|_| some[self.below(end)]).collect()
    }

    pub fn series(&mut self, depth: usize) -> Series {
        let values: Vec<_> = (0..self.below(5)).map(|_| self.next() as i32 as f64 / 8.0).collect();
        let name = (self.below(4) > 0).then(|| self.text(false));
        let next = (depth > 0 && self.below(4) > 0).then(|| self.series(depth - 1));
        let mut series = series(name.as_deref(), &values, next);
        series.colour = [Colour::Red, Colour::Green, Colour::Blue][self.below(3)];
        series.flags = [0; 3].map(|_| self.below(2) == 1);
        series
    }
}
