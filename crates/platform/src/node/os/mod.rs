//! The native half of `os.js`.

mod interfaces;

use qjs::array::List;
use rquickjs::{Ctx, Object, Value};

use crate::internal::{def, errors::granted, strings::UsvString};

/// The native functions of `os.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "cores", || std::thread::available_parallelism().map_or(1, usize::from))?;
    def(&native, "uname", || {
        let name = rustix::system::uname();
        let texts = [name.sysname(), name.nodename(), name.release(), name.version(), name.machine()];
        List(texts.map(|text| text.to_string_lossy().into_owned()))
    })?;
    def(&native, "memory", || {
        let text = read("/proc/meminfo");
        let field = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let kilobytes =
                line.and_then(|line| line.split_whitespace().nth(1)).and_then(|text| text.parse::<f64>().ok());
            kilobytes.unwrap_or(0.0) * 1024.0
        };
        List([field("MemTotal:"), field("MemAvailable:")])
    })?;
    // Says whether what names the machine and its user may be told.
    def(&native, "check", |ctx: Ctx<'js>, what: UsvString| granted(&ctx, |may| may.check_system(&what)))?;
    def(&native, "home", || std::env::home_dir().map(|path| path.to_string_lossy().into_owned()))?;
    def(&native, "version", || env!("CARGO_PKG_VERSION"))?;
    def(&native, "uptime", || {
        read("/proc/uptime").split(' ').next().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0)
    })?;
    def(&native, "load", || {
        let text = read("/proc/loadavg");
        List(text.split(' ').take(3).map(|text| text.parse::<f64>().unwrap_or(0.0)).collect::<Vec<_>>())
    })?;
    // For each processor its model, its speed in MHz and five times in milliseconds.
    def(&native, "processors", processors)?;
    def(&native, "interfaces", |ctx: Ctx<'js>| {
        granted(&ctx, |may| may.check_system("the addresses of this machine"))?;
        interfaces::list(&ctx)
    })?;
    // The line of the user database for a user's number.
    def(&native, "user", |ctx: Ctx<'js>, id: u32| -> rquickjs::Result<Option<List<Vec<String>>>> {
        granted(&ctx, |may| may.check_system("the name of the user"))?;
        let text = read("/etc/passwd");
        let id = id.to_string();
        let line = text.lines().find(|line| line.split(':').nth(2) == Some(id.as_str()));
        Ok(line.map(|line| List(line.split(':').map(str::to_owned).collect::<Vec<_>>())))
    })?;
    // A process's priority, or the negative number of an error.
    def(&native, "getPriority", |ctx: Ctx<'js>, id: i32| -> rquickjs::Result<Value<'js>> {
        use rquickjs::IntoJs as _;
        let found = match id {
            ..0 => Err(rustix::io::Errno::SRCH),
            _ => rustix::process::getpriority_process(rustix::process::Pid::from_raw(id)),
        };
        List(found.map_or_else(|error| [0, -error.raw_os_error()], |priority| [priority, 0])).into_js(&ctx)
    })?;
    def(&native, "setPriority", |ctx: Ctx<'js>, id: i32, priority: i32| -> rquickjs::Result<i32> {
        granted(&ctx, |may| may.check_signal("changing the priority of processes"))?;
        let set = match id {
            ..0 => Err(rustix::io::Errno::SRCH),
            _ => rustix::process::setpriority_process(rustix::process::Pid::from_raw(id), priority),
        };
        Ok(set.map_or_else(|error| -error.raw_os_error(), |()| 0))
    })?;
    Ok(native)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn processors() -> List<Vec<List<Vec<String>>>> {
    let about = read("/proc/cpuinfo");
    let field = |name: &str| -> Vec<&str> {
        about.lines().filter(|line| line.starts_with(name)).filter_map(|line| Some(line.split_once(": ")?.1)).collect()
    };
    let (models, speeds) = (field("model name"), field("cpu MHz"));
    let tick = 1e3 / rustix::param::clock_ticks_per_second() as f64;
    let statistics = read("/proc/stat");
    let lines = statistics.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    let one = |(index, line): (usize, &str)| {
        let ticks: Vec<f64> = line.split(' ').skip(1).map(|text| text.parse().unwrap_or(0.0)).collect();
        let time = |index: usize| (ticks.get(index).copied().unwrap_or(0.0) * tick).to_string();
        let text = |list: &[&str]| {
            list.get(index).or(list.first()).map_or_else(|| "unknown".into(), |text| (*text).to_owned())
        };
        let speed = speeds.get(index).and_then(|speed| speed.parse::<f64>().ok()).unwrap_or(0.0).trunc().to_string();
        List(vec![text(&models), speed, time(0), time(1), time(2), time(3), time(5)])
    };
    List(lines.enumerate().map(one).collect())
}
