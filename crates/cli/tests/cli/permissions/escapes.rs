//! Ways out that were tried. Each is refused, and the secret is never seen.

use super::{ask, ask_with, scene};

/// Nothing but data/ to read and out/ to read and write.
const FLAGS: [&str; 4] = ["--sandbox", "--allow-read=data,out", "--allow-write=out", "--allow-workers"];

/// Checks that each is refused, or fails, and that none of what they print is secret.
#[track_caller]
fn hold(flags: &[&str], expressions: &[&str]) {
    let folder = scene();
    std::os::unix::fs::symlink("../secret", folder.path().join("data/out")).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("data/up")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret"), folder.path().join("out/absolute")).unwrap();
    std::os::unix::fs::symlink("../made", folder.path().join("out/dangling")).unwrap();
    let outcome = ask_with(&folder, flags, expressions);
    for (line, expression) in outcome.stdout.lines().zip(expressions) {
        println!("{expression}\n    {line}");
        if !line.starts_with("refused ") && !line.starts_with("failed ") {
            outcome.fail(&format!("{expression}: {line}"));
        }
    }
    assert_eq!(std::fs::read(folder.path().join("secret")).unwrap(), b"secret");
    for path in ["made", "../made", "app/made"] {
        assert!(!folder.path().join(path).exists(), "{path}");
    }
}

#[test]
fn paths() {
    hold(
        &FLAGS,
        &[
            "fs.readFileSync('data/../secret')",
            "fs.readFileSync('data/./../secret')",
            "fs.readFileSync('data//..//secret')",
            "fs.readFileSync('data/none/../../secret')",
            "fs.readFileSync(here + '/data/../secret')",
            "fs.readFileSync('/' + here + '/secret')",
            "fs.readFileSync(Buffer.from('secret'))",
            "fs.readFileSync(new URL('file://' + here + '/data/%2e%2e/secret'))",
            "fs.readFileSync(new URL('file://' + here + '/data/..%2fsecret'))",
            "fs.readFileSync('data/../secret\\0')",
            "fs.readFileSync('')",
            "fs.readdirSync('.')",
            "fs.readdirSync('..')",
            "fs.readdirSync('data/up', { recursive: true })",
            "fs.opendirSync('data/..')",
            "fs.statSync('data/..')",
            "fs.writeFileSync('out/../made', '')",
            "fs.mkdirSync('out/../made')",
            "fs.mkdirSync('out/../made/deep', { recursive: true })",
            "fs.mkdtempSync('out/../made')",
            "fs.renameSync('out/old', 'made')",
            "fs.renameSync('secret', 'out/secret')",
            "fs.linkSync('secret', 'out/secret')",
            "fs.linkSync('data/file', 'out/file')",
            "fs.copyFileSync('secret', 'out/secret')",
            "fs.cpSync('.', 'out/all', { recursive: true })",
            "fs.cpSync('data', 'made', { recursive: true })",
            "fs.rmSync('out/..', { recursive: true })",
            "fs.rmSync('.', { recursive: true, force: true })",
            "fs.unlinkSync('out/../secret')",
            "fs.chmodSync('secret', 0o777)",
            "process.loadEnvFile('secret')",
            "process.loadEnvFile(here + '/secret')",
            "process.chdir('data/..')",
            "(process.chdir(here + '/data'), fs.readFileSync('../secret'))",
            "(process.chdir(here + '/data'), process.chdir('..'))",
        ],
    );
}

#[test]
fn links() {
    hold(
        &FLAGS,
        &[
            "fs.readFileSync('data/out')",
            "fs.readFileSync('data/up/secret')",
            "fs.readFileSync('out/absolute')",
            "fs.statSync('data/out')",
            "fs.realpathSync('data/out')",
            "fs.realpathSync('data/up')",
            "fs.accessSync('data/up/secret')",
            "fs.existsSync('data/out')",
            "fs.lstatSync('data/up/')",
            "fs.writeFileSync('out/absolute', '')",
            "fs.writeFileSync('out/dangling', '')",
            "fs.writeFileSync('out/dangling', '', { flag: 'a' })",
            "fs.truncateSync('out/absolute')",
            "fs.chmodSync('out/absolute', 0o777)",
            "fs.copyFileSync('data/file', 'out/dangling')",
            "fs.copyFileSync('data/out', 'out/secret')",
            "fs.cpSync('data/out', 'out/secret', { dereference: true })",
            // Links that would lead out are not made.
            "fs.symlinkSync('../secret', 'out/link')",
            "fs.symlinkSync(here + '/secret', 'out/link')",
            "fs.symlinkSync('/etc/passwd', 'out/link')",
            "fs.symlinkSync('..', 'out/link')",
            "fs.symlinkSync('/', 'out/link', 'dir')",
            "fs.cpSync('data/out', 'out/link')",
            // Nor do they lead out when they are moved.
            "(fs.mkdirSync('out/a/b', { recursive: true }), fs.symlinkSync('../old', 'out/a/link'), \
             fs.renameSync('out/a/link', 'out/link'), fs.readFileSync('out/link'))",
            "import(here + '/out/absolute')",
        ],
    );
}

#[test]
fn what_describes_the_process() {
    let all = ["--sandbox", "--allow-read", "--allow-write"];
    let folder = scene();
    let environ = "fs.readFileSync('/proc/self/environ')";
    assert!(ask(&folder, &all, &[environ])[0].starts_with("refused FileSystemRead /proc/self/environ"));
    for flags in [&FLAGS[..], &all] {
        hold(
            flags,
            &[
                "fs.readFileSync('/proc/self/environ', 'latin1')",
                "fs.readFileSync('/proc/' + process.pid + '/environ', 'latin1')",
                "fs.readFileSync('/proc/thread-self/environ', 'latin1')",
                "fs.readFileSync('/proc/self/root/etc/passwd')",
                "fs.readFileSync('/proc/self/cwd/secret')",
                "fs.openSync('/proc/self/mem', 'r+')",
                "fs.readFileSync('/proc/self/maps')",
                "fs.readdirSync('/proc/self/fd')",
                "fs.openSync('/proc/self/fd/1', 'w')",
                "fs.openSync('/proc/self/fd/3')",
                "fs.readFileSync('/proc/../proc/self/status')",
                "fs.readFileSync('/dev/../proc/self/status')",
                "fs.openSync('/dev/fd/3')",
                "fs.openSync('/dev/stdout', 'w')",
                "fs.openSync('/dev/tty')",
                "fs.openSync('/dev/mem')",
                "fs.openSync('/dev/shm')",
                "fs.readdirSync('/sys')",
                "fs.writeFileSync('/proc/self/oom_score_adj', '0')",
                "(fs.symlinkSync('/proc/self', 'out/proc'), fs.readFileSync('out/proc/environ'))",
                "import('/proc/self/environ')",
                "require('/proc/self/environ')",
                "new WASI({ version: 'preview1', preopens: { '/': '/proc' } })",
                "new WASI({ version: 'preview1', preopens: { '/': '/proc/self/root' } })",
                "process.chdir('/proc/self')",
            ],
        );
    }
}

#[test]
fn descriptors_that_are_not_the_scripts() {
    let folder = scene();
    let count = "(() => { const found = []; for (let fd = 3; fd < 200; fd++) { \
                 try { fs.fstatSync(fd); found.push(fd); } catch {} } return found.length; })()";
    let kinds =
        "(() => { let found = 0; for (let fd = 3; fd < 200; fd++) if (tty.isatty(fd)) found++; return found; })()";
    let got = ask(&folder, &FLAGS, &[count, kinds, "fs.readFileSync(fs.openSync('data/file'), 'utf8')"]);
    assert_eq!(got, ["0", "0", "data"]);
    hold(
        &FLAGS,
        &[
            "fs.readSync(3, Buffer.alloc(10))",
            "fs.writeSync(9, 'x')",
            "fs.closeSync(4)",
            "new WASI({ version: 'preview1', stdin: 3 })",
            "new WASI({ version: 'preview1', stdout: 5 })",
            "text(fs.createReadStream('', { fd: 3 }))",
            "fs.fchmodSync(0, 0o777)",
            "fs.fchownSync(0, 0, 0)",
            // A guest would open what is in the folder, and write to it.
            "new WASI({ version: 'preview1', stdin: fs.openSync('data') })",
        ],
    );
    // What the process inherited belongs to whoever started it.
    std::fs::write(
        folder.path().join("app/main.mjs"),
        "import fs from 'node:fs'; try { console.log(fs.readFileSync(7, 'utf8')); } catch (error) { console.log(error.code); }",
    )
    .unwrap();
    let run = |args: &[&str]| crate::harness::Run::behind("exec 7<secret", folder.path(), args).outcome();
    run(&["app/main.mjs"]).exits(0).stdout("secret\n");
    run(&["--sandbox", "app/main.mjs"]).exits(0).stdout("EBADF\n");
}

#[test]
fn back_doors() {
    hold(
        &FLAGS,
        &[
            "process.binding('fs').open('secret')",
            "process._linkedBinding('fs')",
            "process.dlopen({ exports: {} }, 'data/file')",
            "process.getBuiltinModule('fs').readFileSync('secret')",
            "module._load('fs').readFileSync('secret')",
            "require('fs').promises.readFile('secret')",
            "new Function('return import(\"../secret.mjs\")')()",
            "(0, eval)('import(\"../secret.mjs\")')",
            "vm.runInThisContext('import(\"../secret.mjs\")')",
            "vm.runInThisContext('process').getBuiltinModule('fs').readFileSync('secret')",
            "Function('return process')().getBuiltinModule('child_process').execSync('cat secret')",
            "import('node:fs').then((fs) => fs.readFileSync('secret'))",
            "import('data:text/javascript,import fs from \"node:fs\"; export default fs.readFileSync(\"secret\")')",
            "import('data:text/javascript,import \"file://' + here + '/secret.mjs\"')",
            "import('file://localhost' + here + '/secret.mjs')",
            "import('FILE:' + here + '/secret.mjs')",
            "process.execve('/bin/cat', ['cat', 'secret'])",
            "process.umask(0)",
            "process.kill(1, 'SIGTERM')",
            "process._kill(1, 15)",
            "process.kill(0, 15)",
            "process.kill(-1, 15)",
            "process.kill(process.pid, 9)",
            "process.setuid(0)",
            "process.report.getReport()",
            "process.report.writeReport('made')",
            "os.setPriority(1, 5)",
            "os.hostname[Symbol.toPrimitive]()",
            "os.homedir[Symbol.toPrimitive]()",
            "require('node:inspector').open()",
            "new (require('node:sqlite').DatabaseSync)('made')",
            "require('node:repl').start()",
            "require('node:cluster').fork()",
            "require('node:v8').writeHeapSnapshot('made')",
            "require('node:test').run({ files: ['secret.mjs'] }).toArray().then(() => { throw new Error('ran'); })",
            "fetch('file://' + here + '/secret').then((response) => response.text())",
            "fetch(new Request('file://' + here + '/data/../secret'))",
            "new Promise((resolve, reject) => new Worker('file://' + here + '/secret.mjs').onerror = reject)",
            "once(new worker_threads.Worker('require(\"fs\").readFileSync(\"secret\")', { eval: true }), 'exit')",
            "once(new worker_threads.Worker('./app/none.mjs', { execArgv: ['--allow-read'] }), 'exit')",
        ],
    );
}

/// A getter that changes the path between its check and its use finds that both are one reading.
#[test]
fn paths_that_change() {
    hold(
        &FLAGS,
        &[
            "{ let count = 0; const path = { toString: () => (count++ ? 'secret' : 'data/file') }; return fs.readFileSync(path); }",
            "{ let count = 0; const url = new URL('file://' + here + '/data/file'); \
             Object.defineProperty(url, 'pathname', { get: () => here + '/secret' }); \
             const found = String(fs.readFileSync(url)); if (found === 'data') throw new Error('right'); return found; }",
            "{ const bytes = Buffer.from('data/fileXXX'); const read = fs.promises.readFile(bytes.subarray(0, 9)); \
             bytes.fill('secret'); return read.then((found) => { if (String(found) === 'data') throw new Error('right'); return found; }); }",
            "{ const name = new String('secret'); return fs.readFileSync(name); }",
        ],
    );
}

/// Another worker puts a link in the place of a folder and back, as fast as it can.
#[test]
fn a_race() {
    let folder = scene().and("out/inner/file", "inner").and("other/file", "secret");
    let racer = "const fs = require('node:fs'); fs.symlinkSync('swap', 'out/link');
        for (;;) { try { fs.renameSync('out/inner', 'out/swap'); fs.renameSync('out/link', 'out/inner'); \
        fs.renameSync('out/inner', 'out/link'); fs.renameSync('out/swap', 'out/inner'); } catch {} }"
        .replace('\n', " ");
    // Somebody else has made the link that leads out.
    std::os::unix::fs::symlink("../other", folder.path().join("out/away")).unwrap();
    let race = racer.replace("fs.symlinkSync('swap', 'out/link');", "fs.renameSync('out/away', 'out/link');");
    let expression = format!(
        "{{ const worker = new worker_threads.Worker({race:?}, {{ eval: true }}); await once(worker, 'online'); \
         const seen = new Set(); for (let i = 0; i < 20000; i++) {{ \
         try {{ seen.add(fs.readFileSync('out/inner/file', 'utf8')); }} catch (error) {{ seen.add(error.code); }} }} \
         await worker.terminate(); return seen.has('secret') ? 'secret' : seen.has('inner') ? 'inner' : [...seen]; }}"
    );
    assert_eq!(ask(&folder, &FLAGS, &[&expression]), ["inner"]);
}

#[test]
fn permissions_do_not_grow() {
    hold(
        &FLAGS,
        &[
            // The program's folder is not what its package.json becomes, and nothing that is written changes a grant.
            "(process.env.NODE_PATH = here, module._initPaths(), require('secret.json'))",
            "(process.env.SSL_CERT_FILE = here + '/secret', fetch('https://example.com'))",
            "(process.execArgv.push('--allow-read'), fs.readFileSync('secret'))",
            "{ process.permission.has = () => true; return fs.readFileSync('secret'); }",
            "{ process.permission = undefined; return fs.readFileSync('secret'); }",
            "{ String.prototype.startsWith = () => true; return fs.readFileSync('secret'); }",
            "{ process.cwd = () => here + '/data'; return fs.readFileSync('secret'); }",
            "{ path.resolve = () => here + '/data/file'; return fs.readFileSync('secret'); }",
            "{ fs.openSync = () => 0; return fs.readFileSync('secret'); }",
        ],
    );
}

/// Compiled code is kept for later runs, and run as it is.
#[test]
fn the_cache_of_compiled_code() {
    let folder = scene().and("cache/kept", "code");
    let script = "import fs from 'node:fs';
        const says = (call) => { try { call(); return 'done'; } catch (error) { return error.permission; } };
        console.log(says(() => fs.writeFileSync('cache/kept', '')), says(() => fs.writeFileSync('cache/new', '')),
          says(() => fs.rmSync('cache/kept')), says(() => fs.renameSync('cache', 'moved')), says(() => fs.writeFileSync('new', '')));";
    std::fs::write(folder.path().join("app/main.mjs"), script).unwrap();
    let run = folder.run(["--sandbox", "--allow-read", "--allow-write", "app/main.mjs"]).env("TOMBOLO_CACHE", "cache");
    let refused = "FileSystemWrite FileSystemWrite FileSystemWrite FileSystemWrite done\n";
    run.outcome().exits(0).stdout(refused);
}
