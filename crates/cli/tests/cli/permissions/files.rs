//! `--allow-read` and `--allow-write`, for each function of node:fs.

use super::{ask, need, scene};

#[test]
fn reading() {
    need(
        &["--allow-read=data"],
        "FileSystemRead",
        &[
            ("fs.readFileSync('data/file', 'utf8')", "data"),
            ("called((done) => fs.readFile('data/file', 'utf8', done))", "data"),
            ("fs.promises.readFile('data/file', 'utf8')", "data"),
            ("fs.promises.open('data/file').then((file) => file.readFile('utf8'))", "data"),
            ("text(fs.createReadStream('data/file'))", "data"),
            ("fs.openAsBlob('data/file').then((blob) => blob.text())", "data"),
            ("fetch('file://' + here + '/data/file').then((response) => response.text())", "data"),
            ("fs.closeSync(fs.openSync('data/file'))", "done"),
            ("fs.statSync('data/file').size", "4"),
            ("fs.statSync('data/file', { throwIfNoEntry: false }).size", "4"),
            ("fs.promises.stat('data/file').then((stat) => stat.size)", "4"),
            ("fs.lstatSync('data/link').isSymbolicLink()", "true"),
            ("fs.accessSync('data/file')", "done"),
            ("fs.existsSync('data/file')", "true"),
            ("fs.readlinkSync('data/link')", "file"),
            ("fs.realpathSync('data/link')", "/data/file"),
            ("fs.realpathSync.native('data/link')", "/data/file"),
            ("fs.readdirSync('data')", "file,link"),
            ("fs.readdirSync('data', { recursive: true })", "file,link"),
            ("fs.opendirSync('data').readSync().name", "file"),
            ("fs.statfsSync('data').bsize > 0", "true"),
            ("process.chdir('data')", "done"),
        ],
    );
}

#[test]
fn writing() {
    need(
        &["--allow-write=out", "--allow-read=out,data"],
        "FileSystem",
        &[
            ("fs.writeFileSync('out/a', 'a')", "done"),
            ("called((done) => fs.writeFile('out/a', 'a', done))", "done"),
            ("fs.promises.writeFile('out/a', 'a')", "done"),
            ("fs.appendFileSync('out/a', 'a')", "done"),
            ("fs.closeSync(fs.openSync('out/new', 'wx'))", "done"),
            ("fs.closeSync(fs.openSync('out/new', 'a+'))", "done"),
            ("once(fs.createWriteStream('out/new').end('text'), 'close').then(() => {})", "done"),
            ("fs.truncateSync('out/a', 1)", "done"),
            ("fs.mkdirSync('out/folder')", "done"),
            ("fs.mkdirSync('out/deep/er', { recursive: true })", "/out/deep"),
            ("fs.mkdtempSync('out/temporary').length > 10", "true"),
            ("fs.copyFileSync('data/file', 'out/copied')", "done"),
            ("fs.cpSync('data', 'out/tree', { recursive: true, verbatimSymlinks: true })", "done"),
            ("fs.renameSync('out/a', 'out/b')", "done"),
            ("fs.linkSync('out/b', 'out/hard')", "done"),
            ("fs.symlinkSync('b', 'out/soft')", "done"),
            ("fs.chmodSync('out/b', 0o600)", "done"),
            ("fs.chownSync('out/b', process.getuid(), process.getgid())", "done"),
            ("fs.lchownSync('out/soft', process.getuid(), process.getgid())", "done"),
            ("fs.utimesSync('out/b', 1, 1)", "done"),
            ("fs.lutimesSync('out/soft', 1, 1)", "done"),
            ("fs.unlinkSync('out/soft')", "done"),
            ("fs.rmdirSync('out/folder')", "done"),
            ("fs.rmSync('out/tree', { recursive: true })", "done"),
            ("fs.rmSync('out/none', { force: true })", "done"),
        ],
    );
}

#[test]
fn reading_alone_changes_nothing() {
    let folder = scene();
    let expressions = [
        "fs.writeFileSync('data/file', 'changed')",
        "fs.openSync('data/file', 'r+')",
        "fs.openSync('data/file', fs.constants.O_RDONLY | fs.constants.O_TRUNC)",
        "fs.openSync('data/new', fs.constants.O_RDONLY | fs.constants.O_CREAT)",
        "fs.chmodSync('data/file', 0o777)",
        "fs.utimesSync('data/file', 1, 1)",
        "fs.unlinkSync('data/file')",
        "fs.renameSync('data/file', 'out/file')",
        "fs.linkSync('data/file', 'out/file')",
        // What is open to be read changes no metadata either.
        "fs.fchmodSync(fs.openSync('data/file'), 0o777)",
        "fs.futimesSync(fs.openSync('data/file'), 1, 1)",
        "fs.fchownSync(fs.openSync('data/file'), process.getuid(), process.getgid())",
        "fs.promises.open('data/file').then((file) => file.chmod(0o777))",
        "fs.ftruncateSync(1)",
        "fs.fchmodSync(1, 0o777)",
    ];
    for (got, expression) in
        ask(&folder, &["--sandbox", "--allow-read=data", "--allow-write=out"], &expressions).iter().zip(expressions)
    {
        assert!(got.starts_with("refused FileSystem"), "{expression}: {got}");
    }
    assert_eq!(std::fs::read(folder.path().join("data/file")).unwrap(), b"data");
}

#[test]
fn writing_alone_reads_nothing() {
    let folder = scene();
    let expressions = [
        "fs.readFileSync('out/old')",
        "fs.openSync('out/old', 'r+')",
        "fs.openSync('out/old', 'a+')",
        "fs.readdirSync('out')",
        "fs.statSync('out/old')",
        "fs.existsSync('out/old')",
        "fs.copyFileSync('out/old', 'out/new')",
        "fs.renameSync('out/old', 'out/new')",
        "fs.linkSync('out/old', 'out/new')",
    ];
    for (got, expression) in ask(&folder, &["--sandbox", "--allow-write=out"], &expressions).iter().zip(expressions) {
        assert!(got.starts_with("refused FileSystem"), "{expression}: {got}");
    }
    let write = ask(&folder, &["--sandbox", "--allow-write=out"], &["fs.writeFileSync('out/old', 'new')"]);
    assert_eq!(write, ["done"]);
}

#[test]
fn a_flag_is_for_a_file_a_folder_several_or_all() {
    let folder = scene();
    let read = ["fs.readFileSync('data/file', 'utf8')", "fs.readFileSync('secret', 'utf8')"];
    for (flags, expected) in [
        (&["--allow-read=data/file"][..], ["data", "refused FileSystemRead /secret"]),
        (&["--allow-read=data,secret"], ["data", "secret"]),
        (&["--allow-read=data", "--allow-read=secret"], ["data", "secret"]),
        (&["--allow-read"], ["data", "secret"]),
        (&["--allow-read=."], ["data", "secret"]),
        (&["--allow-write"], ["refused FileSystemRead /data/file", "refused FileSystemRead /secret"]),
    ] {
        let flags: Vec<&str> = ["--sandbox"].iter().chain(flags).copied().collect();
        assert_eq!(ask(&folder, &flags, &read), expected, "{flags:?}");
    }
}

#[test]
fn a_refusal_says_which_flag_would_help() {
    let folder = scene();
    let message = "fs.promises.readFile('secret').catch((error) => [error.code, error.permission, error.message])";
    let path = folder.path().join("secret");
    let path = path.display();
    let got = super::ask_with(&folder, &["--sandbox"], &[message]).exits(0).stdout;
    let here = folder.path().display().to_string();
    let expected = format!(
        "ERR_ACCESS_DENIED,FileSystemRead,No permission to read '{path}'. Use --allow-read={path} to allow it.\n"
    );
    assert_eq!(got, expected.replace(&here, ""));
}
