//! Some random modules, here and on `node` where that is installed. The command `differential` runs more.

use harness::differential::{self, Modules};
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
    for (modules, count) in [(Modules::Any, 60), (Modules::Legacy, 100)] {
        let comparison = differential::compare(modules, 0..count, &here, &Host::Node(&node)).unwrap();
        assert!(comparison.modules as u64 >= count * 2 / 3, "{} modules", comparison.modules);
        for mismatch in &comparison.mismatches {
            println!("{mismatch}");
        }
        comparison.verdict().unwrap();
    }
}
