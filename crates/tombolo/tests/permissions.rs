//! What a Rust host grants to a program, and how it ends one that takes too much.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tombolo::{AgentSpec, Cluster, Data, Exceeded, Limits, Permissions, Runtime, RuntimeOptions};

/// A folder with a program in it, and a secret beside it.
fn folder(name: &str, program: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("tombolo-permissions-{}-{name}", std::process::id()));
    std::fs::create_dir_all(folder.join("app")).unwrap();
    std::fs::write(folder.join("app/main.mjs"), program).unwrap();
    std::fs::write(folder.join("secret"), "secret").unwrap();
    folder.canonicalize().unwrap()
}

/// Runs a program. Returns its exit code, what it wrote, and the limit that ended it.
fn run(file: &std::path::Path, permissions: Permissions, limits: Limits) -> (i32, String, Option<Exceeded>) {
    let output = Arc::new(Mutex::new(Vec::new()));
    let mut options = RuntimeOptions { permissions, limits, ..RuntimeOptions::default() };
    options.platform.stdout = Some(output.clone());
    options.platform.stderr = Some(output.clone());
    let mut runtime = Runtime::new(options).unwrap();
    let code = runtime.run_file(file).exit_code;
    let exceeded = runtime.exceeded();
    drop(runtime);
    let text = String::from_utf8_lossy(&output.lock().unwrap()).into_owned();
    (code, text, exceeded)
}

#[test]
fn agents_of_one_process_have_their_own_permissions() {
    let program = "import fs from 'node:fs'; import { cdef } from 'tombolo:marshal';
        try { console.log(fs.readFileSync(new URL('../secret', import.meta.url), 'utf8')); } catch (error) { console.log(error.code); }";
    let folder = folder("own", program);
    let file = folder.join("app/main.mjs");
    let none = Permissions::none().program(&file);
    let all = run(&file, Permissions::all(), Limits::default());
    let refused = run(&file, none.clone(), Limits::default());
    let granted = run(&file, none.allow_read(folder.join("secret")), Limits::default());
    assert_eq!(all, (0, "secret\n".into(), None));
    assert_eq!(refused, (0, "ERR_ACCESS_DENIED\n".into(), None));
    assert_eq!(granted, (0, "secret\n".into(), None));
    // Without its program, it has no modules either.
    let (code, text, _) = run(&file, Permissions::none(), Limits::default());
    assert!(code == 1 && text.contains("ERR_ACCESS_DENIED"), "{text}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Numbers of descriptors are the process's.
#[test]
fn descriptors_of_other_agents_are_not_there() {
    let program = "import fs from 'node:fs';
        let count = 0;
        for (let fd = 3; fd < 500; fd++) { try { fs.fstatSync(fd); count++; } catch {} }
        console.log(count);";
    let folder = folder("descriptors", program);
    let file = folder.join("app/main.mjs");
    let mut other = Runtime::new(RuntimeOptions::default()).unwrap();
    let path = folder.join("secret").display().to_string();
    other.agent().run_task(move |ctx| ctx.eval::<(), _>(format!("process.getBuiltinModule('fs').openSync('{path}')")));
    let (_, text, _) = run(&file, Permissions::none().program(&file), Limits::default());
    assert_eq!(text, "0\n");
    other.run_source("end.mjs", "");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn limits_end_a_program() {
    let ends = |program: &str, limits| {
        let folder = folder(&format!("limits-{}", program.len()), program);
        let ended = run(&folder.join("app/main.mjs"), Permissions::all(), limits);
        std::fs::remove_dir_all(folder).unwrap();
        ended
    };
    let time = Limits { time: Some(Duration::from_millis(100)), ..Limits::default() };
    let (code, _, exceeded) = ends("for (;;);", time);
    assert_eq!((code, exceeded), (124, Some(Exceeded::Time)));
    let output = Limits { output: Some(10), ..Limits::default() };
    let ended = ends("for (;;) console.log('some text');", output);
    assert_eq!(ended, (1, "some text\n".into(), Some(Exceeded::Output)));
    let memory = Limits { guest_memory: Some(1 << 20), ..Limits::default() };
    let program = "try { new WebAssembly.Memory({ initial: 17 }); } catch (error) { console.log(error.name); }";
    assert_eq!(ends(program, memory), (0, "RangeError\n".into(), None));
    // The next program on this thread has no limit.
    assert_eq!(ends(&format!("{program} "), Limits::default()), (0, String::new(), None));
}

#[test]
fn agents_of_a_cluster_have_its_permissions() {
    let options = RuntimeOptions { permissions: Permissions::none(), ..RuntimeOptions::default() };
    let cluster = Cluster::new(options).unwrap();
    let script = "import { parentPort } from 'node:worker_threads'; import fs from 'node:fs';
        let code; try { fs.readFileSync('/etc/passwd'); } catch (error) { code = error.code; }
        parentPort.postMessage([code, Object.keys(process.env).length]);";
    let agent = cluster.start(AgentSpec::module("test.mjs", script)).unwrap();
    let answer = agent.receive(Some(Duration::from_secs(60)));
    let expected = Data::Array(vec![Data::from("ERR_ACCESS_DENIED"), Data::from(0)]);
    assert_eq!(format!("{answer:?}"), format!("{:?}", Some(expected)));
    let limits = Limits { output: Some(1000), ..Limits::default() };
    let agent = cluster.start(AgentSpec::module("loop.mjs", "for (;;) console.log();").limits(limits)).unwrap();
    assert_eq!(agent.join().exit_code, 1);
}
