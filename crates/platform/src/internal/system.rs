//! System calls that have no requirements, and that the standard library and rustix do not offer like this.

use rustix::io::Errno;

/// Sends a signal, which may be 0 or one without a name.
pub(crate) fn kill(process: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: the call takes two numbers, and fails if they are not those of a process and of a signal.
    match unsafe { libc::kill(process, signal) } {
        0 => Ok(()),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)),
    }
}

/// What the process, or this thread alone, has used.
pub(crate) fn usage(of_thread: bool) -> libc::rusage {
    // SAFETY: `rusage` consists of numbers, for which zeros are values.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let whose = if of_thread { libc::RUSAGE_THREAD } else { libc::RUSAGE_SELF };
    // SAFETY: the call writes one `rusage` to the pointer.
    unsafe { libc::getrusage(whose, &raw mut usage) };
    usage
}
