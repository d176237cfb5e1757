//! Checks that the table is complete, and that scripts declare exactly the functions that they are given.

use std::collections::BTreeSet;
use std::path::Path;

use agent::{Agent, AgentOptions};

use super::*;

fn with_platform<R>(task: impl FnOnce(&Ctx<'_>) -> rquickjs::Result<R>) -> R {
    let agent = Agent::new(AgentOptions::default()).unwrap();
    agent.with(|ctx| crate::install(ctx, crate::Options::default()).and_then(|()| task(ctx))).unwrap()
}

fn keys<'js>(object: &Object<'js>) -> BTreeSet<String> {
    object.own_keys::<String>(rquickjs::object::Filter::new().string()).map(Result::unwrap).collect()
}

/// The scripts below a folder, by their names.
fn scripts(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "js") {
            found.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
}

#[test]
fn every_script_has_its_row() {
    let mut there = BTreeSet::new();
    scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut there);
    let rows = FEATURES.iter().filter(|feature| feature.script.is_some());
    assert_eq!(rows.map(|feature| feature.name.to_owned()).collect::<BTreeSet<_>>(), there);
}

#[test]
fn every_script_is_bytecode() {
    assert!(FEATURES.iter().all(|feature| !matches!(feature.script, Some(Script::Text(_)))));
}

#[test]
fn no_name_is_given_twice() {
    let mut all: Vec<_> = FEATURES.iter().map(|feature| ("file", feature.name)).collect();
    all.extend(modules().map(|name| ("module", name)));
    all.extend(globals().map(|global| ("global", global.name)));
    assert_eq!(BTreeSet::from_iter(all.clone()).len(), all.len(), "{all:?}");
}

#[test]
fn the_console_has_the_methods_of_its_script() {
    let (methods, exports) = with_platform(|ctx| {
        let script = internal::require(ctx, "console")?;
        Ok((keys(&web::console::create(ctx)?), keys(&script)))
    });
    let native = ["log", "warn", "error", "info", "debug", "Console", "_stderr", "_stdout"].map(str::to_owned);
    // How the native methods reach streams that scripts have touched.
    let internal = ["publish", "setStream", "stream", "write"].map(str::to_owned);
    assert!(internal.iter().all(|name| exports.contains(name)));
    assert_eq!(methods, exports.into_iter().filter(|name| !internal.contains(name)).chain(native).collect());
}

/// What the comment before `const native` declares: names, and how many arguments each function needs; `None` for
/// anything that is not a function.
fn declared(source: &str) -> Vec<(String, Option<usize>)> {
    let Some((before, _)) = source.split_once(" * }}\n */\nconst native = rust;") else { return Vec::new() };
    let Some((_, list)) = before.rsplit_once(" * @type {{\n") else { return Vec::new() };
    let members = list.lines().filter_map(|line| line.strip_prefix(" *   ")).filter(|line| !line.starts_with(' '));
    let members = members.filter_map(|line| {
        let end = line.find(|c: char| !c.is_alphanumeric()).filter(|&end| end > 0)?;
        let (name, rest) = line.split_at(end);
        let Some((arguments, _)) = rest.strip_prefix('(').and_then(|rest| rest.split_once("):")) else {
            return Some((name.to_owned(), None));
        };
        let names = arguments.split(", ").filter_map(|argument| argument.split_once(':')).map(|(name, _)| name);
        let needed = names.filter(|name| name.chars().all(char::is_alphanumeric) && !name.ends_with('?'));
        Some((name.to_owned(), Some(needed.count())))
    });
    members.collect()
}

#[test]
fn declarations_of_natives_are_read() {
    let source = "/**\n * @type {{\n *   a(): void,\n *   b(x: number, y?: (z: number) => void): {\n \
                  *     c: number,\n *   },\n *   d(x: any, ...rest: any[]): void,\n *   e: any,\n \
                  * }}\n */\nconst native = rust;";
    let names = [("a", Some(0)), ("b", Some(1)), ("d", Some(1)), ("e", None)];
    assert_eq!(declared(source), names.map(|(name, needed)| (name.to_owned(), needed)));
}

#[test]
fn scripts_declare_the_natives_that_they_are_given() {
    let mut wrong = Vec::new();
    with_platform(|ctx| {
        for feature in FEATURES {
            let native = (feature.native)(ctx)?;
            let given = keys(&native).into_iter().map(|name| {
                let function = native.get::<_, Value>(&*name)?;
                let needed = match function.as_function() {
                    Some(function) => Some(function.get("length")?),
                    None => None,
                };
                Ok((name, needed))
            });
            let given: BTreeSet<_> = given.collect::<rquickjs::Result<_>>()?;
            let declared = BTreeSet::from_iter(declared(feature.source));
            if declared != given {
                wrong.push(format!("{}.js declares {declared:?} and is given {given:?}", feature.name));
            }
        }
        Ok(())
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_primordials_are_declared() {
    let (_, interface) = include_str!("../../check/ambient.d.ts").split_once("interface Primordials {\n").unwrap();
    let (interface, _) = interface.split_once("\n}").unwrap();
    let members = interface.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with('/'));
    let members = members.filter_map(|line| line.split(['(', '<', ':']).next()).filter(|name| !name.is_empty());
    let declared: BTreeSet<_> = members.map(str::to_owned).collect();
    let made = with_platform(|ctx| internal::require(ctx, "primordials").map(|made| keys(&made)));
    assert_eq!(declared.difference(&made).collect::<Vec<_>>(), <[&String; 0]>::default());
}
