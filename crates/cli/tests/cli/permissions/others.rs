//! Everything but files: variables, the machine, programs, hosts, workers, guests of WASI.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use super::{ask, need, scene};
use crate::harness::{Folder, guest};

#[test]
fn variables() {
    let folder = scene();
    let script = "console.log(Object.keys(process.env).sort().join(), process.env.ONE, 'TWO' in process.env);
        process.env.TWO = 'own'; console.log(process.env.TWO);";
    std::fs::write(folder.path().join("app/main.cjs"), script).unwrap();
    let run = |flags: &[&str]| {
        let args = ["--sandbox"].iter().chain(flags).chain(&["app/main.cjs"]).copied();
        folder.run(args).env("ONE", "1").env("TWO", "2").outcome().exits(0).stdout
    };
    assert_eq!(run(&[]), " undefined false\nown\n");
    assert_eq!(run(&["--allow-env=ONE"]), "ONE 1 false\nown\n");
    assert_eq!(run(&["--allow-env=ONE,NONE"]), "ONE 1 false\nown\n");
    assert!(run(&["--allow-env"]).ends_with(" 1 true\nown\n"));
}

#[test]
fn the_machine_and_its_user() {
    let expressions = [
        "os.hostname().length > 0",
        "os.userInfo().username.length > 0",
        "typeof os.networkInterfaces()",
        "os.homedir()[0]",
    ];
    let cases: Vec<_> = expressions.into_iter().zip(["true", "true", "object", "/"]).collect();
    need(&["--allow-env"], "System", &cases);
    // What programs adapt to tells nobody apart.
    let folder = scene();
    let open = ["os.cpus().length > 0", "os.totalmem() > 0", "os.type()", "os.tmpdir()", "process.pid > 0"];
    assert_eq!(ask(&folder, &["--sandbox"], &open), ["true", "true", "Linux", "/tmp", "true"]);
    let home = ["os.homedir()[0]"];
    assert_eq!(ask(&folder, &["--sandbox", "--allow-env=HOME"], &home), ["/"]);
}

#[test]
fn programs() {
    need(
        &["--allow-run"],
        "ChildProcess",
        &[
            ("child_process.spawnSync('echo', ['hi']).stdout.length", "3"),
            ("child_process.execFileSync('echo', ['hi']).length", "3"),
            ("child_process.execSync('echo hi').length", "3"),
            ("once(child_process.spawn('true'), 'exit').then(([code]) => code)", "0"),
            ("called((done) => child_process.execFile('true', done))", ""),
            ("called((done) => child_process.exec('true', done))", ""),
            ("once(child_process.fork('/none.cjs', { silent: true }), 'exit').then(([code]) => code)", "1"),
            ("process.kill(process.ppid, 0)", "true"),
            ("os.setPriority(0, 0)", "done"),
        ],
    );
}

#[test]
fn a_program_that_is_granted_is_the_one_that_was_found_then() {
    let folder = scene().and("out/true", "#!/bin/sh\necho other\n").and("out/tool", "#!/bin/sh\necho tool $1\n");
    use std::os::unix::fs::PermissionsExt;
    for name in ["out/true", "out/tool"] {
        std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let expressions = [
        "child_process.spawnSync('true', { env: { PATH: here + '/out' } }).stdout.length",
        "child_process.spawnSync('true', { env: { LD_PRELOAD: '/x.so' } })",
        "child_process.spawnSync(here + '/out/true')",
        "child_process.spawnSync('./out/true')",
        "child_process.execSync('true')",
        "child_process.spawnSync('./out/tool', ['x']).stdout.toString().trim()",
        "process.kill(process.ppid, 0)",
        "process.abort()",
    ];
    let got = ask(&folder, &["--sandbox", "--allow-run=true,out/tool"], &expressions);
    let expected = [
        "0",
        "refused ChildProcess LD_PRELOAD",
        "refused ChildProcess /out/true",
        "refused ChildProcess ./out/true",
        "refused ChildProcess /bin/sh",
        "tool x",
        "refused ChildProcess signals to processes",
        "refused ChildProcess ending the process by a signal",
    ];
    assert_eq!(got, expected);
}

/// Serves `answers` requests: `/to/TARGET` redirects there, everything else says `served`.
fn serve(answers: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for _ in 0..answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            while line.trim_end() != "" {
                line.clear();
                reader.read_line(&mut line).unwrap();
            }
            let answer = match path.strip_prefix("/to/") {
                Some(target) => format!("302 Found\r\nLocation: {target}\r\nContent-Length: 0"),
                None => "200 OK\r\nContent-Length: 6".into(),
            };
            let body = if answer.starts_with("200") { "served" } else { "" };
            let _ = write!(reader.get_mut(), "HTTP/1.1 {answer}\r\nConnection: close\r\n\r\n{body}");
        }
    });
    port
}

#[test]
fn hosts() {
    let port = serve(100);
    let url = format!("http://127.0.0.1:{port}");
    let fetched = format!("fetch('{url}').then((response) => response.text())");
    let got = format!("once(http.get('{url}'), 'response').then(([response]) => text(response))");
    let lookup = "called((done) => dns.lookup('localhost', done)).then((address) => address.length > 2)";
    let promised = "dns.promises.lookup('localhost').then(({ address }) => address.length > 2)";
    need(&["--allow-net"], "Net", &[(&fetched, "served"), (&got, "served"), (lookup, "true"), (promised, "true")]);
    let folder = scene();
    let run = |grant: &str| ask(&folder, &["--sandbox", &format!("--allow-net={grant}")], &[&fetched, &got]);
    let refused = format!("refused Net 127.0.0.1:{port}");
    for grant in ["127.0.0.1".to_owned(), format!("127.0.0.1:{port}"), format!("example.com,127.0.0.1:{port}")] {
        assert_eq!(run(&grant), ["served", "served"], "{grant}");
    }
    for grant in ["example.com", "localhost", "127.0.0.1:1", "127.0.0.2", "[::1]"] {
        assert_eq!(run(grant), [&*refused, &*refused], "{grant}");
    }
}

#[test]
fn redirects_and_other_ways_to_write_a_host() {
    let port = serve(100);
    let url = format!("http://localhost:{port}");
    let refused = format!("refused Net 127.0.0.1:{port}");
    let folder = scene();
    let expressions = [
        format!("fetch('{url}/to/{url}/').then((response) => response.text())"),
        format!("fetch('{url}/to/http://127.0.0.1:{port}/')"),
        format!("fetch('{url}/to/file:///etc/passwd')"),
        format!("fetch('http://localhost:{port}@127.0.0.1:{port}/')"),
        format!("fetch('http://2130706433:{port}/')"),
        format!("fetch('http://0x7f.1:{port}/')"),
        format!("fetch('http://127.0.0.1:{port}\\\\@localhost/')"),
        format!("once(http.get({{ host: '127.0.0.1', port: {port}, headers: {{ host: 'localhost' }} }}), 'response')"),
        format!(
            "once(http.get({{ hostname: 'localhost#@127.0.0.1', port: {port} }}), 'response').then(() => 'through')"
        ),
    ];
    let expressions: Vec<&str> = expressions.iter().map(|text| &**text).collect();
    let got = ask(&folder, &["--sandbox", &format!("--allow-net=localhost:{port}")], &expressions);
    assert_eq!(got[0], "served");
    for at in [1, 4, 5, 6, 7] {
        assert_eq!(got[at], refused, "{}", expressions[at]);
    }
    for at in [2, 3, 8] {
        assert!(got[at].starts_with("refused") || got[at].starts_with("failed"), "{}: {}", expressions[at], got[at]);
    }
}

#[test]
fn workers_have_what_their_agent_has() {
    let text = "const fs = require('node:fs'); const { parentPort } = require('node:worker_threads');
        const says = (call) => { try { return String(call()); } catch (error) { return error.permission; } };
        parentPort.postMessage([says(() => fs.readFileSync('data/file')), says(() => fs.readFileSync('secret')),
          says(() => require('node:child_process').spawnSync('true')), String(process.env.SECRET),
          says(() => new (require('node:worker_threads').Worker)('', { eval: true }).unref())].join());"
        .replace('\n', " ");
    let node = format!(
        "once(new worker_threads.Worker({text:?}, {{ eval: true, env: {{ SECRET: 'own' }} }}), 'message').then(([m]) => m)"
    );
    let web = "new Promise((resolve) => { const worker = new Worker('data:text/javascript,postMessage(1)'); \
               worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); }; })";
    let folder = scene();
    for got in ask(&folder, &["--sandbox"], &[&node, web]) {
        assert_eq!(got, "refused WorkerThreads ");
    }
    let got = ask(&folder, &["--sandbox", "--allow-workers", "--allow-read=data"], &[&node, web]);
    assert_eq!(got, ["data,FileSystemRead,ChildProcess,own,undefined", "1"]);
    // A worker's script is a module of the program, or a file that it may read.
    let script = "new Promise((resolve, reject) => new worker_threads.Worker('./secret.mjs').on('error', reject)\
                  .on('exit', resolve))";
    assert_eq!(ask(&folder, &["--sandbox", "--allow-workers"], &[script]), ["refused FileSystemRead /secret.mjs"]);
    assert_eq!(ask(&folder, &["--sandbox", "--allow-workers", "--allow-read=secret.mjs"], &[script]), ["0"]);
}

#[test]
fn wasi_in_scripts() {
    let folder = scene()
        .and("app/guest.mjs", include_str!("../../../../../tests/js/wasi-guest.mjs"))
        .and("app/wasm-builder.mjs", include_str!("../../../../../tests/js/wasm-builder.mjs"));
    let guest = |call: &str| {
        format!(
            "import('./guest.mjs').then((guest) => {{ const made = new guest.Guest({{ preopens: {{ '/': 'data' }} }}); return {call}; }})"
        )
    };
    let read = guest("made.read(made.open('file', { rights: guest.READ }))");
    let calls = [
        guest("made.open('new', { how: guest.CREAT })"),
        guest("made.open('file', { how: guest.TRUNC })"),
        guest("made.open('file', { rights: guest.WRITE })"),
        guest("made.mkdir('folder')"),
        guest("made.rename('file', 'other')"),
        guest("made.symlink('file', 'soft')"),
        guest("made.link('other', 'hard')"),
        guest("made.unlink('other')"),
    ];
    let all: Vec<&str> = std::iter::once(&*read).chain(calls.iter().map(|call| &**call)).collect();
    let marshal =
        "import('tombolo:marshal').then((marshal) => typeof new marshal.Wasi({}, { preopens: { '/': 'data' } }))";
    let got = ask(&folder, &["--sandbox"], &[&read, marshal]);
    assert_eq!(got, ["refused FileSystemRead /data", "refused FileSystemRead /data"]);
    let got = ask(&folder, &["--sandbox", "--allow-read=data"], &all);
    assert_eq!(got[0], "data");
    for (got, call) in got[1..].iter().zip(&calls) {
        assert!(got.contains("69"), "{call}: {got}");
    }
    assert_eq!(std::fs::read(folder.path().join("data/file")).unwrap(), b"data");
    let got = ask(&folder, &["--sandbox", "--allow-read=data", "--allow-write=data"], &all);
    for (got, call) in got.iter().zip(&all) {
        assert!(!got.starts_with("failed") && !got.starts_with("refused"), "{call}: {got}");
    }
    let root = "new WASI({ version: 'preview1', preopens: { '/': '/' } })";
    let got = ask(&folder, &["--sandbox", "--allow-read", "--allow-write"], &[root]);
    assert_eq!(got, ["failed UVWASI_EACCES"]);
}

#[test]
fn wasi_commands_see_what_the_command_line_gives_them() {
    let folder = Folder::with("hello.wasm", std::fs::read(guest("hello.wasm")).unwrap()).and("note.txt", "a note\n");
    let read = |flags: &[&str]| {
        let args = flags.iter().chain(&["hello.wasm", "--read", "note.txt"]).copied();
        folder.run(args).env("TOMBOLO_GREETING", "moin").outcome()
    };
    read(&[]).exits(0).stdout_has(&["greeting: moin", "a note"]);
    let outcome = read(&["--sandbox"]).exits(1);
    assert!(!outcome.stdout.contains("moin") && !outcome.stdout.contains("a note"));
    read(&["--sandbox", "--dir=."]).exits(0).stdout_has(&["a note"]);
    read(&["--sandbox", "--dir=.", "--allow-env=TOMBOLO_GREETING"]).exits(0).stdout_has(&["greeting: moin", "a note"]);
}

#[test]
fn what_a_script_can_ask() {
    let folder = scene();
    let expressions = [
        "process.permission.has('fs.read')",
        "process.permission.has('fs.read', 'data/file')",
        "process.permission.has('fs.read', 'secret')",
        "process.permission.has('fs.write', 'data/file')",
        "process.permission.has('net', '127.0.0.1:80')",
        "process.permission.has('net', 'example.com')",
        "process.permission.has('child')",
        "process.permission.has('worker')",
        "process.permission.has('env', 'HOME')",
        "process.permission.has('nothing')",
    ];
    let flags = ["--sandbox", "--allow-read=data", "--allow-net=example.com", "--allow-workers", "--allow-env=HOME"];
    let got = ask(&folder, &flags, &expressions);
    assert_eq!(got, ["false", "true", "false", "false", "false", "true", "false", "true", "true", "false"]);
    assert_eq!(ask(&folder, &[], &["process.permission"]), ["done"]);
}
