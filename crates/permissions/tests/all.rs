//! What is granted, what is refused, and what is said of it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use permissions::{Access, Failure, Module, Permissions};
use rustix::fs::{Mode, OFlags};

/// A folder of one test:
///
/// ```text
/// granted/file, granted/inner/file, secret, other/file
/// granted/out -> ../secret        granted/up -> ..          granted/absolute -> …/secret
/// granted/in -> inner/file        granted/loop -> loop      granted/folder -> …/granted/inner
/// granted/dangling -> ../none     link -> granted
/// ```
struct Scene(PathBuf);

impl Scene {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tombolo-permissions-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("granted/inner")).unwrap();
        fs::create_dir_all(folder.join("other")).unwrap();
        let folder = folder.canonicalize().unwrap();
        for file in ["granted/file", "granted/inner/file", "secret", "other/file"] {
            fs::write(folder.join(file), file).unwrap();
        }
        let (secret, inner) = (folder.join("secret"), folder.join("granted/inner"));
        for (target, link) in [
            (Path::new("../secret"), "granted/out"),
            (Path::new(".."), "granted/up"),
            (&secret, "granted/absolute"),
            (Path::new("inner/file"), "granted/in"),
            (Path::new("loop"), "granted/loop"),
            (&inner, "granted/folder"),
            (Path::new("../none"), "granted/dangling"),
            (Path::new("granted"), "link"),
        ] {
            symlink(target, folder.join(link)).unwrap();
        }
        Self(folder)
    }

    fn at(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("{}/{path}", self.0.display()))
    }

    fn reader(&self) -> Permissions {
        Permissions::none().allow_read(self.at("granted"))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What is found there, or why nothing is.
fn read(may: &Permissions, path: &Path) -> String {
    use std::io::Read as _;
    match may.open(path, OFlags::RDONLY, Mode::empty()) {
        Ok(mut file) => {
            let mut text = String::new();
            file.read_to_string(&mut text).map_or_else(|error| error.kind().to_string(), |_| text)
        }
        Err(Failure::Denied(_)) => "denied".into(),
        Err(Failure::System(error)) => error.kind().to_string(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_is_beneath_a_granted_folder_is_read() {
    let scene = Scene::new("beneath");
    let may = scene.reader();
    for (path, expected) in [
        ("granted/file", "granted/file"),
        ("granted/./inner//file", "granted/inner/file"),
        ("granted/inner/../file", "granted/file"),
        ("granted/in", "granted/inner/file"),
        ("granted/folder/file", "granted/inner/file"),
        ("link/file", "denied"),
        ("granted/../granted/file", "granted/file"),
        ("granted/none", "entity not found"),
        ("granted/file/more", "not a directory"),
        ("granted/file/", "not a directory"),
        ("granted/inner/none/more", "entity not found"),
        ("granted/../none/../granted/file", "denied"),
        ("granted/../other/../granted/file", "denied"),
        ("granted/loop", "filesystem loop or indirection limit (e.g. symlink loop)"),
    ] {
        assert_eq!(read(&may, &scene.at(path)), expected, "{path}");
    }
}

#[test]
fn nothing_leads_out() {
    let scene = Scene::new("out");
    let may = scene.reader();
    for path in [
        "secret",
        "other/file",
        "none",
        "granted/out",
        "granted/absolute",
        "granted/dangling",
        "granted/up/secret",
        "granted/up/none",
        "granted/../secret",
        "granted/inner/../../secret",
        "granted/folder/../../secret",
        "granted/../../../../../../../../../etc/passwd",
        "granted-not",
        "granted/up",
        "",
        "..",
    ] {
        assert_eq!(read(&may, &scene.at(path)), "denied", "{path}");
        assert!(may.target(&scene.at(path), Access::READ).is_err(), "{path}");
    }
    // The links themselves are granted.
    for link in ["granted/out", "granted/absolute", "granted/dangling", "granted/loop"] {
        assert!(may.entry(&scene.at(link), Access::READ).is_ok(), "{link}");
    }
    // Except with a slash behind them, which follows them.
    assert!(matches!(may.entry(&scene.at("granted/up/"), Access::READ), Err(Failure::Denied(_))));
    for path in ["/", "/etc/passwd", "/proc/self/environ", "/none", "relative"] {
        assert_eq!(read(&may, Path::new(path)), "denied", "{path}");
    }
}

#[test]
fn a_grant_follows_the_links_that_it_names() {
    let scene = Scene::new("links");
    let may = Permissions::none().allow_read(scene.at("link"));
    assert_eq!(read(&may, &scene.at("link/file")), "granted/file");
    assert_eq!(read(&may, &scene.at("granted/file")), "granted/file");
    assert_eq!(read(&may, &scene.at("link/out")), "denied");
    let file = Permissions::none().allow_read(scene.at("granted/in"));
    assert_eq!(read(&file, &scene.at("granted/in")), "granted/inner/file");
    assert_eq!(read(&file, &scene.at("granted/inner/file")), "granted/inner/file");
    assert_eq!(read(&file, &scene.at("granted/file")), "denied");
}

#[test]
fn reading_is_not_writing() {
    let scene = Scene::new("writing");
    let create = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
    let open = |may: &Permissions, path: &str, flags| may.open(&scene.at(path), flags, Mode::RUSR | Mode::WUSR);
    let reader = scene.reader();
    for flags in [create, OFlags::WRONLY, OFlags::RDWR, OFlags::CREATE, OFlags::TRUNC, OFlags::APPEND] {
        assert!(matches!(open(&reader, "granted/file", flags), Err(Failure::Denied(_))), "{flags:?}");
        assert!(matches!(open(&reader, "granted/new", flags), Err(Failure::Denied(_))), "{flags:?}");
    }
    let writer = Permissions::none().allow_write(scene.at("granted"));
    assert!(matches!(open(&writer, "granted/file", OFlags::RDONLY), Err(Failure::Denied(_))));
    assert!(matches!(open(&writer, "granted/file", OFlags::RDWR), Err(Failure::Denied(_))));
    open(&writer, "granted/new", create).unwrap();
    open(&writer, "granted/inner/newer", create | OFlags::EXCL).unwrap();
    open(&writer, "granted/file", create).unwrap();
    assert_eq!(fs::read(scene.at("granted/file")).unwrap(), b"");
    for path in ["granted/out", "granted/dangling", "granted/up/new", "new", "granted/../new", "granted/absolute"] {
        for flags in [create, create | OFlags::EXCL, OFlags::WRONLY] {
            assert!(open(&writer, path, flags).is_err(), "{path} {flags:?}");
        }
    }
    assert_eq!(fs::read(scene.at("secret")).unwrap(), b"secret");
    assert!(!scene.at("none").exists() && !scene.at("new").exists());
}

#[test]
fn a_grant_may_come_before_what_it_is_for() {
    let scene = Scene::new("before");
    let may = Permissions::none().allow_write(scene.at("later/file"));
    let create = OFlags::WRONLY | OFlags::CREATE;
    let open = |path: &str| may.open(&scene.at(path), create, Mode::RUSR);
    assert!(matches!(open("later/file"), Err(Failure::System(_))));
    fs::create_dir(scene.at("later")).unwrap();
    open("later/file").unwrap();
    assert!(matches!(open("later/other"), Err(Failure::Denied(_))));
    // A link in its place leads where it leads.
    fs::remove_dir_all(scene.at("later")).unwrap();
    symlink("other", scene.at("later")).unwrap();
    assert!(matches!(open("later/file"), Err(Failure::Denied(_))));
    assert_eq!(fs::read(scene.at("other/file")).unwrap(), b"other/file");
}

#[test]
fn what_was_checked_is_what_is_used() {
    let scene = Scene::new("race");
    let may = scene.reader();
    let path = scene.at("granted/inner/file");
    let held = may.target(&path, Access::READ).unwrap();
    fs::rename(scene.at("granted/inner"), scene.at("granted/moved")).unwrap();
    fs::create_dir(scene.at("granted/inner")).unwrap();
    symlink(scene.at("secret"), &path).unwrap();
    assert_eq!(fs::read(held.path()).unwrap(), b"granted/inner/file");
    assert_eq!(read(&may, &path), "denied");
}

#[test]
fn granting_everything_does_not_open_the_process() {
    let may = Permissions::none().allow_any_read().allow_any_write();
    assert_eq!(read(&may, Path::new("/proc/self/environ")), "denied");
    assert_eq!(read(&may, Path::new("/proc/self/../self/maps")), "denied");
    assert_eq!(read(&may, Path::new("/dev/fd/0")), "denied");
    assert_eq!(read(&may, Path::new("/dev/stdin")), "denied");
    assert_eq!(read(&may, Path::new("/dev/null")), "");
    assert!(may.target("/dev/urandom".as_ref(), Access::READ).is_ok());
    assert!(may.target("/etc".as_ref(), Access::READ).is_ok());
    assert!(may.target("/".as_ref(), Access::READ).is_ok());
    let scene = Scene::new("special");
    symlink("/proc/self/environ", scene.at("environ")).unwrap();
    assert_eq!(read(&may, &scene.at("environ")), "denied");
    // What is named is granted.
    let named = Permissions::none().allow_read("/proc/version");
    assert!(read(&named, Path::new("/proc/version")).contains("Linux"));
    assert_eq!(read(&named, Path::new("/proc/self/environ")), "denied");
}

#[test]
fn what_is_protected_is_never_written_to() {
    let scene = Scene::new("protected");
    let may = Permissions::none().allow_any_write().allow_write(scene.at("granted")).protect(scene.at("granted/inner"));
    let denied = |path: &str| matches!(may.entry(&scene.at(path), Access::WRITE), Err(Failure::Denied(_)));
    for path in ["granted/inner", "granted/inner/file", "granted/inner/new", "granted/folder/new", "granted", "."] {
        assert!(denied(path), "{path}");
    }
    for path in ["granted/file", "granted/new", "secret", "granted/folder"] {
        assert!(!denied(path), "{path}");
    }
}

#[test]
fn modules_are_a_programs_own() {
    let scene = Scene::new("modules");
    for file in [
        "app/package.json",
        "app/main.mjs",
        "app/lib/a.js",
        "app/lib/data.json",
        "app/.env.js",
        "app/notes.txt",
        "app/.git/hook.js",
        "app/node_modules/p/extensionless",
        "app/node_modules/.store/q/index.js",
        "node_modules/above/index.js",
        "loose/script.mjs",
        "loose/data.json",
        "loose/other.mjs",
    ] {
        let path = scene.at(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{}").unwrap();
    }
    symlink(scene.at("secret"), scene.at("app/lib/link.js")).unwrap();
    let may = Permissions::none().program(scene.at("app/main.mjs"));
    let loads = |may: &Permissions, path: &str| may.read_module(&scene.at(path)).is_ok();
    for path in [
        "app/main.mjs",
        "app/package.json",
        "app/lib/a.js",
        "app/lib/data.json",
        "app/node_modules/p/extensionless",
        "app/node_modules/.store/q/index.js",
        "node_modules/above/index.js",
    ] {
        assert!(loads(&may, path), "{path}");
    }
    for path in ["app/.env.js", "app/notes.txt", "app/.git/hook.js", "app/lib/link.js", "secret", "loose/script.mjs"] {
        assert!(!loads(&may, path), "{path}");
    }
    // Without a package, JSON files are nobody's modules.
    let may = Permissions::none().program(scene.at("loose/script.mjs"));
    assert!(loads(&may, "loose/script.mjs") && loads(&may, "loose/other.mjs"));
    assert!(!loads(&may, "loose/data.json") && !loads(&may, "app/lib/a.js"));
    // None of this may be read as a file.
    assert_eq!(read(&may, &scene.at("loose/script.mjs")), "denied");
    assert!(matches!(may.module(&scene.at("loose/none.mjs"), Module::Found), Err(Failure::System(_))));
    assert!(matches!(may.module("/etc/none.mjs".as_ref(), Module::Found), Err(Failure::Denied(_))));
}

#[test]
fn hosts() {
    let grant = |host: &str| Permissions::none().allow_net(host).unwrap();
    let may = grant("Example.com");
    assert!(may.check_net("example.com", Some(443)).is_ok() && may.check_net("EXAMPLE.COM.", None).is_ok());
    for host in ["www.example.com", "example.com.evil.org", "127.0.0.1", "localhost", ""] {
        assert!(may.check_net(host, Some(443)).is_err(), "{host}");
    }
    let may = grant("127.0.0.1:8080");
    assert!(may.check_net("127.0.0.1", Some(8080)).is_ok() && may.check_net("127.0.0.1", None).is_ok());
    assert!(may.check_net("127.0.0.1", Some(80)).is_err() && may.check_net("localhost", Some(8080)).is_err());
    let may = grant("[::1]:80");
    assert!(may.check_net("[::1]", Some(80)).is_ok() && may.check_net("0:0:0:0:0:0:0:1", Some(80)).is_ok());
    assert!(may.check_net("[::1]", Some(81)).is_err());
    for wrong in ["", "http://example.com", "example.com:", "example.com:x", "example.com:70000", "[::1", "a b", "a/b"]
    {
        assert!(Permissions::none().allow_net(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn programs() {
    let may = Permissions::none().allow_run("true");
    let file = may.check_run("true".as_ref()).unwrap().unwrap();
    assert!(file.is_absolute());
    assert!(may.check_run(&file).is_ok());
    for program in ["false", "./true", "/tmp/true", "sh", ""] {
        assert!(may.check_run(program.as_ref()).is_err(), "{program}");
    }
    assert!(may.check_run_with(["PATH".as_ref()]).is_ok());
    assert!(may.check_run_with(["PATH".as_ref(), "LD_PRELOAD".as_ref()]).is_err());
    assert!(may.check_signal("signals").is_err());
    let any = Permissions::none().allow_any_run();
    assert_eq!(any.check_run("sh".as_ref()).unwrap(), None);
}

#[test]
fn refusals_name_the_flag() {
    let text = |failure: Failure| failure.to_string();
    let none = Permissions::none();
    let read = text(none.target("/etc/a,b".as_ref(), Access::READ).unwrap_err());
    assert_eq!(read, "No permission to read '/etc/a,b'. Use --allow-read=/etc/a,,b to allow it.");
    let write = text(none.entry("/etc/../x".as_ref(), Access::WRITE).unwrap_err());
    assert_eq!(write, "No permission to write to '/x'. Use --allow-write=/x to allow it.");
    let net = none.check_net("Example.com", Some(80)).unwrap_err().to_string();
    assert_eq!(net, "No permission to connect to 'example.com:80'. Use --allow-net=example.com:80 to allow it.");
    assert_eq!(none.check_workers().unwrap_err().flag(), "--allow-workers");
    assert_eq!(none.check_run("git".as_ref()).unwrap_err().flag(), "--allow-run=git");
}

#[test]
fn everything() {
    let all = Permissions::all().allow_read("/nothing");
    assert!(all.is_all() && Permissions::default().is_all() && all.allows_env("HOME"));
    assert_eq!(all.target("/etc".as_ref(), Access::BOTH).unwrap().path(), Path::new("/etc"));
}
