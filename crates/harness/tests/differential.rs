//! Some random modules, here and on `node` where that is installed. The command `differential` runs more.

use harness::differential;
use harness::run::{Host, installed_node};
use island::{Engine, EngineOptions};

#[test]
fn random_modules_do_here_what_they_do_on_node() {
    let node = match installed_node() {
        Ok(node) => node,
        Err(reason) => return testing::not_run("the comparison of random modules with node", &reason.to_string()),
    };
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let here = Host::Tombolo { engine: &engine, one_island: false };
    let comparison = differential::compare(0..60, &here, &Host::Node(&node)).unwrap();
    assert!(comparison.modules >= 40, "{} modules", comparison.modules);
    for mismatch in &comparison.mismatches {
        println!("{mismatch}");
    }
    comparison.verdict().unwrap();
}
