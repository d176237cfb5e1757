//! Traces. There is one of a process, so the tests take turns.

mod common;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

use common::Guest;
use marshal::trace::{self, Amount, Frame, Line, Locating, Snapshot};
use marshal::{Destructor, Heap};

static TURN: Mutex<()> = Mutex::new(());

/// A test's turn, and where its program is.
struct Test {
    line: Arc<AtomicU32>,
    _locating: Locating,
    _turn: MutexGuard<'static, ()>,
}

impl Test {
    fn new() -> Self {
        let turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
        trace::name_agent("tester");
        let line = Arc::new(AtomicU32::new(1));
        let of_locator = line.clone();
        let locating = trace::locate_with(move || match of_locator.load(Relaxed) {
            0 => vec![],
            line => vec![Frame::new("f", "a.mjs", line, 7), Frame::new("g", "a.mjs", 1000 + line % 2, 1)],
        });
        trace::start();
        Self { line, _locating: locating, _turn: turn }
    }

    /// Goes on in another line.
    fn at(&self, line: u32) {
        self.line.store(line, Relaxed);
    }
}

impl Drop for Test {
    fn drop(&mut self) {
        trace::stop();
    }
}

fn snapshot() -> Snapshot {
    trace::snapshot().unwrap()
}

fn amount(blocks: u64, bytes: u64) -> Amount {
    Amount { blocks, bytes }
}

#[track_caller]
fn line(snapshot: &Snapshot, number: u32) -> &Line {
    let is_it = |line: &&Line| line.place.as_ref().is_some_and(|frame| frame.line == number);
    snapshot.lines.iter().find(is_it).unwrap_or_else(|| panic!("line {number} is in {:#?}", snapshot.lines))
}

#[test]
fn blocks_by_line() {
    let test = Test::new();
    let guest = Guest::new();
    test.at(10);
    let small = [guest.block(100), guest.block(50)];
    test.at(20);
    let large = guest.block(1000);
    drop(guest.block(16));
    let now = snapshot();
    assert!(now.is_on);
    assert_eq!((now.held, now.waiting, now.owned), (amount(3, 1150), amount(1, 16), amount(4, 1166)));
    assert_eq!((now.lent, now.unreturned, now.gone), Default::default());
    assert_eq!(now.lines.iter().map(|line| line.held.bytes).collect::<Vec<_>>(), [1000, 150]);
    let (ten, twenty) = (line(&now, 10), line(&now, 20));
    assert_eq!((ten.held, ten.largest, ten.owned), (amount(2, 150), 100, amount(2, 150)));
    assert_eq!((twenty.held, twenty.waiting, twenty.largest), (amount(1, 1000), amount(1, 16), 1000));
    assert!(ten.oldest.unwrap() <= twenty.oldest.unwrap() && twenty.oldest.unwrap() <= now.duration);
    assert_eq!(ten.agents.iter().map(|agent| &**agent).collect::<Vec<_>>(), ["tester"]);
    assert_eq!(ten.stacks[0].frames, [Frame::new("g", "a.mjs", 1000, 1)]);
    // A block that is dropped is not held; freed it is once the guest has it.
    drop((small, large));
    let now = snapshot();
    assert_eq!((now.held, now.waiting), (amount(0, 0), amount(4, 1166)));
    guest.heap.drain().unwrap();
    let now = snapshot();
    assert_eq!((now.held, now.waiting, now.owned), (amount(0, 0), amount(0, 0), amount(4, 1166)));
    assert!(now.to_text().contains("No block is held."), "{}", now.to_text());
    // A block that the guest takes over is none of the host's.
    let address = guest.block(24).release();
    assert_eq!(snapshot().held, amount(0, 0));
    // Another one at the same address is not the one before.
    test.at(30);
    let block = guest.heap.adopt(address, 24).unwrap();
    assert_eq!(line(&snapshot(), 30).held, amount(1, 24));
    block.free(&guest.heap).unwrap();
    assert_eq!(snapshot().held, amount(0, 0));
}

#[test]
fn the_peak_and_what_it_was_made_of() {
    let test = Test::new();
    let guest = Guest::new();
    let other = Guest::new();
    test.at(1);
    let first: Vec<_> = (0..4).map(|_| guest.block(1000)).collect();
    test.at(2);
    let in_other = other.block(500);
    test.at(3);
    let third = guest.block(100);
    // The peak: 4600 bytes. What follows has as many bytes, and others, but not more.
    drop(first);
    guest.heap.drain().unwrap();
    test.at(4);
    let fourth = guest.block(4000);
    drop((in_other, third, fourth));
    guest.heap.drain().unwrap();
    other.heap.drain().unwrap();
    let after = guest.block(8);
    let now = snapshot();
    assert_eq!(now.peak.amount, amount(6, 4600));
    let shares = |peak: &trace::Peak| -> Vec<_> {
        peak.shares.iter().map(|share| (share.place.as_ref().unwrap().line, share.amount)).collect()
    };
    assert_eq!(shares(&now.peak), [(1, amount(4, 4000)), (2, amount(1, 500)), (3, amount(1, 100))]);
    assert_eq!(now.memories.len(), 2);
    assert_eq!(now.memories[0].peak.amount, amount(5, 4100));
    assert_eq!(shares(&now.memories[0].peak), [(1, amount(4, 4000)), (3, amount(1, 100))]);
    assert_eq!(shares(&now.memories[1].peak), [(2, amount(1, 500))]);
    assert_eq!((now.memories[0].owned, now.memories[1].owned), (amount(1, 8), amount(0, 0)));
    assert_eq!(now.memories[0].length, guest.heap.data().len() as u64);
    assert_eq!(now.history.iter().map(|sample| sample.high).max(), Some(4600));
    assert_eq!(now.history.last().unwrap().last, 8);
    // A new peak is another one.
    let more = guest.block(10_000);
    assert_eq!(shares(&snapshot().peak), [(4, amount(2, 10_008))]);
    drop((after, more));
}

#[test]
fn arguments_are_counted_apart() {
    let test = Test::new();
    let guest = Guest::new();
    test.at(5);
    for _ in 0..10 {
        let address = guest.heap.allocate(64).unwrap();
        guest.heap.free(address).unwrap();
    }
    let now = snapshot();
    assert_eq!((now.lent, now.unreturned, now.owned), (amount(10, 640), amount(0, 0), amount(0, 0)));
    assert_eq!(line(&now, 5).lent, amount(10, 640));
    test.at(6);
    let kept = guest.heap.allocate(32).unwrap();
    let now = snapshot();
    assert_eq!((now.unreturned, line(&now, 6).unreturned), (amount(1, 32), amount(1, 32)));
    // Some time later it gets an owner.
    guest.heap.free(guest.heap.allocate(8).unwrap()).unwrap();
    let block = guest.heap.adopt(kept, 32).unwrap();
    let now = snapshot();
    assert_eq!((now.unreturned, now.held), (amount(0, 0), amount(1, 32)));
    drop(block);
}

#[test]
fn handles_by_line() {
    let test = Test::new();
    let guest = Guest::new();
    let close = Destructor::new(&guest.island, guest.function("free"), "db_<close>").unwrap();
    let open = |line: u32| {
        test.at(line);
        let address = guest.heap.allocate(8).unwrap();
        guest.heap.handle(&close, address, vec![]).unwrap()
    };
    let (kept, closed, given, dropped) = (open(40), open(40), open(40), open(41));
    closed.close(&guest.heap).unwrap();
    given.release();
    drop(dropped);
    let now = snapshot();
    let lines: Vec<_> = now.handles.iter().map(|it| (it.place.as_ref().unwrap().line, it.open, it.waiting)).collect();
    assert_eq!(lines, [(40, 1, 0), (41, 0, 1)]);
    assert_eq!(&*now.handles[0].destructor, "db_<close>");
    let text = now.to_text();
    assert!(text.contains("db_<close>, a.mjs:40:7 f"), "{text}");
    assert!(now.to_html().contains("db_&lt;close&gt;"));
    guest.heap.drain().unwrap();
    assert_eq!(snapshot().handles.len(), 1);
    // With the guest goes what could close them.
    drop(guest);
    assert_eq!(snapshot().handles.len(), 1, "a handle keeps its queue");
    drop((kept, closed, given));
    assert_eq!(snapshot().handles.len(), 0);
    assert!(!snapshot().to_text().contains("Handles"));
}

#[test]
fn blocks_that_go_with_their_memory() {
    let test = Test::new();
    let guest = Guest::new();
    test.at(50);
    let block = guest.block(300);
    drop(guest);
    let now = snapshot();
    assert_eq!((now.held, now.gone), (amount(1, 300), amount(0, 0)), "the block keeps its memory");
    drop(block);
    let now = snapshot();
    assert_eq!((now.held, now.waiting, now.gone), (amount(0, 0), amount(0, 0), amount(1, 300)));
    assert_eq!((now.memories[0].owned, now.memories[0].is_alive), (amount(0, 0), false));
    assert_eq!(now.history.last().unwrap().last, 0);
    let text = now.to_text();
    assert!(text.contains("never freed") && text.contains("a.mjs:50:7 f"), "{text}");
    // The memory may stay when all that could free its blocks has gone.
    let guest = Guest::new();
    let data = guest.heap.data().clone();
    drop((guest.block(500), guest));
    let now = snapshot();
    assert_eq!((now.waiting, now.gone), (amount(0, 0), amount(2, 800)));
    drop(data);
}

#[test]
fn a_block_is_dropped_by_another_thread() {
    let test = Test::new();
    let guest = Guest::new();
    test.at(60);
    let (kept, sent) = (guest.block(10), guest.block(20));
    let other = std::thread::Builder::new().name("other".into());
    other.spawn(move || drop(sent)).unwrap().join().unwrap();
    let now = snapshot();
    assert_eq!((now.held, now.waiting), (amount(1, 10), amount(1, 20)));
    guest.heap.drain().unwrap();
    let now = snapshot();
    assert_eq!((now.held, now.waiting), (amount(1, 10), amount(0, 0)));
    assert_eq!(now.agents.iter().map(|agent| &**agent).collect::<Vec<_>>(), ["tester"]);
    drop(kept);
}

#[test]
fn two_allocators_that_give_out_one_address() {
    let test = Test::new();
    let guest = Guest::new();
    let data = guest.heap.data().clone();
    let other = Heap::new(&guest.island, data, guest.function("malloc"), guest.function("mode")).unwrap();
    test.at(80);
    let block = guest.block(100);
    test.at(81);
    let same = other.adopt(block.address(), 40).unwrap();
    let now = snapshot();
    assert_eq!((now.held, line(&now, 81).held, line(&now, 80).held), (amount(1, 40), amount(1, 40), amount(0, 0)));
    assert_eq!((now.memories.len(), now.memories[0].owned), (1, amount(1, 40)));
    same.release();
    assert_eq!((snapshot().held, snapshot().memories[0].owned), (amount(0, 0), amount(0, 0)));
    drop(block);
    guest.heap.drain().unwrap();
    assert_eq!((snapshot().waiting, snapshot().memories[0].owned), (amount(0, 0), amount(0, 0)));
}

#[test]
fn a_million_blocks_take_bounded_room() {
    let test = Test::new();
    let guest = Guest::new();
    for round in 0..1_000_000_u32 {
        test.at(70 + round % 3);
        drop(guest.block(if round == 654_321 { 20_000 } else { 100 }));
    }
    guest.heap.drain().unwrap();
    let now = snapshot();
    assert_eq!((now.held.blocks, now.owned.blocks), (0, 1_000_000));
    assert_eq!(now.peak.amount, amount(1, 20_000));
    assert!(now.history.len() <= 512 && now.history.len() > 64, "{}", now.history.len());
    assert_eq!(now.history.iter().map(|sample| sample.high).max(), Some(20_000));
    assert!(now.memories[0].history.len() <= 512);
    assert_eq!(now.lines.len(), 3);
    let html = now.to_html();
    assert!(html.len() < 200_000, "{} bytes", html.len());
}

#[test]
fn many_places_and_many_memories_take_bounded_room() {
    let test = Test::new();
    let guest = Guest::new();
    for line in 1..=4_000 {
        test.at(line);
        drop(guest.block(8));
    }
    // Agents may be many as well: their lines still count.
    for agent in 0..4_000 {
        trace::name_agent(&format!("agent {agent}"));
        test.at(agent % 2 + 1);
        drop(guest.block(8));
    }
    let now = snapshot();
    assert_eq!((now.owned.blocks, now.lines.len(), line(&now, 2).owned.blocks), (8_000, 4_000, 2_001));
    assert!(now.agents.len() < 2_000, "{}", now.agents.len());
    for line in 4_001..=12_000 {
        test.at(line);
        drop(guest.block(8));
    }
    let now = snapshot();
    assert_eq!(now.owned.blocks, 16_000);
    assert!(now.lines.len() <= 10_000, "{}", now.lines.len());
    let (text, html) = (now.to_text(), now.to_html());
    assert!(text.lines().count() < 60 && text.contains(" more lines: ") && text.contains("(other lines) ["), "{text}");
    assert!(html.len() < 500_000 && html.contains("and 8,"), "{}", html.len());
    trace::name_agent("tester");
    test.at(1);
    for size in 0..300 {
        drop(Guest::new().block(1000 + size));
    }
    let now = snapshot();
    assert!(now.memories.len() <= 130, "{}", now.memories.len());
    assert_eq!(now.memories.len() + now.memories_forgotten as usize, 301);
    assert_eq!(now.memories[0].peak.amount, amount(1, 1299), "those with the highest peaks stay");
}

#[test]
fn stopping_and_starting_again() {
    let test = Test::new();
    let guest = Guest::new();
    let first = guest.block(10);
    trace::stop();
    assert!(!trace::is_on());
    let second = guest.block(20);
    drop(first);
    let now = snapshot();
    assert_eq!((now.is_on, now.held), (false, amount(1, 10)), "it stays as it was");
    assert_eq!(now.duration, snapshot().duration);
    trace::start();
    assert_eq!(snapshot().owned, amount(0, 0));
    // What is older than the trace is unknown to it.
    drop(second);
    guest.heap.drain().unwrap();
    let third = guest.block(30);
    assert_eq!((snapshot().held, snapshot().owned), (amount(1, 30), amount(1, 30)));
    drop((third, test));
}

#[test]
fn without_a_locator_the_place_is_unknown() {
    let test = Test::new();
    let guest = Guest::new();
    test.at(0);
    let block = guest.block(10);
    let now = snapshot();
    assert_eq!((now.lines[0].place.as_ref(), now.lines[0].held), (None, amount(1, 10)));
    assert!(now.to_text().contains("(outside of scripts)"));
    // The newest locator that knows anything counts.
    let newer = trace::locate_with(|| vec![Frame::new("", "newer.mjs", 3, 4)]);
    let silent = trace::locate_with(Vec::new);
    test.at(8);
    let other = guest.block(20);
    assert_eq!(snapshot().lines[0].place, Some(Frame::new("", "newer.mjs", 3, 4)));
    drop((newer, silent));
    test.at(9);
    let third = guest.block(30);
    assert_eq!(snapshot().lines[0].place.as_ref().unwrap().line, 9);
    drop((block, other, third));
}

/// Checks that tags are closed in order and that text has no stray `<` or `&`: XML, but for the first line.
fn check_well_formed(html: &str) {
    let text = html.strip_prefix("<!DOCTYPE html>").expect("it says what it is");
    let (before, rest) = text.split_once("<style>").unwrap();
    let (style, after) = rest.split_once("</style>").unwrap();
    assert!(!style.contains(['<', '&']));
    let mut open: Vec<&str> = Vec::new();
    for part in [before, after] {
        for (at, piece) in part.split('<').enumerate() {
            if at == 0 {
                assert!(piece.trim().is_empty(), "{piece}");
                continue;
            }
            let (tag, text) = piece.split_once('>').unwrap_or_else(|| panic!("no end of a tag: {piece}"));
            assert!(!text.contains('>'), "a stray `>`: {piece}");
            for entity in tag.split('&').skip(1).chain(text.split('&').skip(1)) {
                let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
                assert!(known.iter().any(|known| entity.starts_with(known)), "a stray `&`: {piece}");
            }
            assert!(tag.matches('"').count().is_multiple_of(2), "quotes: {tag}");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "closed by </{tag}>");
            } else if !tag.ends_with('/') {
                open.push(tag.split_whitespace().next().unwrap());
            }
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn the_page_is_well_formed_and_escaped() {
    let test = Test::new();
    check_well_formed(&snapshot().to_html());
    trace::name_agent("<i>\"agent\"</i>");
    let guest = Guest::new();
    let evil = "</title><script>alert(1)</script>&amp;'\"\n\u{202e}\u{0}";
    let locating = trace::locate_with(move || {
        vec![Frame::new(evil, &format!("/x/{evil}.mjs"), 1, 2), Frame::new(evil, evil, 3, 4)]
    });
    let close = Destructor::new(&guest.island, guest.function("free"), evil).unwrap();
    let address = guest.heap.allocate(8).unwrap();
    let handle = guest.heap.handle(&close, address, vec![]).unwrap();
    let blocks = (guest.block(100), Guest::new().block(7));
    let other = Guest::new();
    std::thread::scope(|scope| {
        scope.spawn(|| trace::name_agent("second"));
    });
    let _other_block = other.block(5);
    let now = snapshot();
    let html = now.to_html();
    check_well_formed(&html);
    assert!(!html.contains("<script") && !html.contains("<i>\""), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)") && html.contains("peak"));
    assert!(!html.contains(['\u{202e}', '\u{0}']));
    for part in ["<svg", "prefers-color-scheme:dark", "class=\"peak\"", "all memories", "KiB", "time since"] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("http"), "it needs no other file");
    // A name that breaks the line does not break the table.
    let text = now.to_text();
    assert!(text.lines().all(|line| !line.starts_with('\u{202e}')), "{text}");
    assert!(!text.contains(['\u{202e}', '\u{0}']));
    drop((handle, blocks, locating, test));
    trace::name_agent("tester");
}

#[test]
fn tables_fit_a_terminal() {
    let test = Test::new();
    let guest = Guest::new();
    let mut blocks = Vec::new();
    for line in 1..=100 {
        test.at(line);
        blocks.extend((0..line).map(|_| guest.block(u64::from(line) * 3)));
    }
    let text = snapshot().to_text();
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(longest <= 100, "{longest} columns:\n{text}");
    assert!(text.contains("and 80 more lines: 3,240 blocks, "), "{text}");
    drop(blocks);
}
