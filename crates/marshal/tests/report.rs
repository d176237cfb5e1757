//! The process-wide report: alone in its process, so that its figures are exact.

mod common;

use marshal::report;

#[test]
fn every_block_is_counted_in_and_out() {
    let guest = common::Guest::new();
    let blocks: Vec<_> = (0..10).map(|_| guest.block(100)).collect();
    let now = report();
    assert_eq!((now.allocated, now.freed, now.alive, now.bytes_alive, now.bytes_peak), (10, 0, 10, 1000, 1000));
    drop(blocks);
    assert_eq!(report().alive, 10, "they wait for a safe point");
    guest.heap.drain().unwrap();
    let large = guest.block(2 << 20);
    drop(large);
    guest.heap.drain().unwrap();
    // A peak between two reports is seen too.
    drop((guest.block(700), guest.block(700)));
    let now = report();
    let peak = (2 << 20) as u64;
    assert_eq!((now.allocated, now.freed, now.alive, now.bytes_alive, now.bytes_peak), (13, 11, 2, 1400, peak));
    // Blocks that wait go with the memory.
    let survivor = guest.block(8);
    drop(guest);
    assert_eq!(report().alive, 1, "the allocation was a safe point");
    drop(survivor);
    let now = report();
    assert_eq!((now.allocated, now.freed, now.alive, now.bytes_alive), (14, 14, 0, 0));
}
