//! The native half of `os.js`.

use qjs::array::List;
use rquickjs::{Ctx, Object};

use crate::internal::def;

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
        let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let kilobytes =
                line.and_then(|line| line.split_whitespace().nth(1)).and_then(|text| text.parse::<f64>().ok());
            kilobytes.unwrap_or(0.0) * 1024.0
        };
        List([field("MemTotal:"), field("MemAvailable:")])
    })?;
    def(&native, "temporary", || std::env::temp_dir().to_string_lossy().into_owned())?;
    def(&native, "home", || std::env::home_dir().map(|path| path.to_string_lossy().into_owned()))?;
    def(&native, "version", || env!("CARGO_PKG_VERSION"))?;
    def(&native, "uptime", || {
        let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
        text.split(' ').next().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0)
    })?;
    Ok(native)
}
