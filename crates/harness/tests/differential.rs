//! Some random modules, here and on `node` where that is installed. The command `differential` runs more.

use harness::differential;
use harness::run::{Host, installed_node};
use island::{Engine, EngineOptions};

#[test]
fn random_modules_do_here_what_they_do_on_node() {
    let Some(node) = installed_node() else {
        println!("skipped: there is no node on PATH, nor does TOMBOLO_NODE name one");
        return;
    };
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let here = Host::Tombolo { engine: &engine, one_island: false };
    let (count, mismatches) = differential::compare(0..60, &here, &Host::Node(&node)).unwrap();
    assert!(count >= 40, "{count} modules");
    for found in &mismatches {
        println!("seed {}, after {:?}:\n  here: {}\n  node: {}", found.seed, found.before, found.here, found.there);
    }
    assert!(mismatches.is_empty());
}
