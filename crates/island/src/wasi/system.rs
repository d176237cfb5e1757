//! Arguments, environment, clocks, random numbers, and the end of a guest.

use rustix::time::{ClockId, clock_getres, clock_gettime};

use crate::memory::interrupt::Interrupter;
use crate::wasi::call::Call;
use crate::wasi::errno::{Errno, Result, Stop};
use crate::wasi::guest::{Piece, buffer};

/// A clock that guests can ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Realtime,
    Monotonic,
    Process,
    Thread,
}

impl Clock {
    pub(crate) fn of(number: u32) -> std::result::Result<Self, Errno> {
        match number {
            0 => Ok(Self::Realtime),
            1 => Ok(Self::Monotonic),
            2 => Ok(Self::Process),
            3 => Ok(Self::Thread),
            _ => Err(Errno::INVAL),
        }
    }

    fn id(self) -> ClockId {
        match self {
            Self::Realtime => ClockId::Realtime,
            Self::Monotonic => ClockId::Monotonic,
            Self::Process => ClockId::ProcessCPUTime,
            Self::Thread => ClockId::ThreadCPUTime,
        }
    }
}

fn nanoseconds(time: rustix::time::Timespec) -> u64 {
    u64::try_from(time.tv_sec).unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

/// What a clock shows.
pub(crate) fn now(clock: Clock) -> u64 {
    nanoseconds(clock_gettime(clock.id()))
}

/// Random bytes are made this many at a time.
const CHUNK: usize = 64 << 10;

impl Call<'_> {
    pub(crate) fn args_get(&mut self, pointers: u32, bytes: u32) -> Result {
        self.put_strings(&self.wasi.args, pointers, bytes)
    }

    pub(crate) fn args_sizes_get(&mut self, count: u32, size: u32) -> Result {
        self.put_sizes(&self.wasi.args, count, size)
    }

    pub(crate) fn environ_get(&mut self, pointers: u32, bytes: u32) -> Result {
        self.put_strings(&self.wasi.env, pointers, bytes)
    }

    pub(crate) fn environ_sizes_get(&mut self, count: u32, size: u32) -> Result {
        self.put_sizes(&self.wasi.env, count, size)
    }

    /// Writes strings with a zero after each, and where they begin.
    fn put_strings(&mut self, strings: &[Vec<u8>], pointers: u32, bytes: u32) -> Result {
        let places = self.guest.piece(pointers, strings.len(), 4)?;
        let mut starts = Vec::with_capacity(places.len);
        let mut all = Vec::new();
        for string in strings {
            starts.extend_from_slice(&bytes.wrapping_add(all.len() as u32).to_le_bytes());
            all.extend_from_slice(string);
            all.push(0);
        }
        self.guest.put(bytes, &all)?;
        self.guest.write(places, &starts);
        Ok(())
    }

    fn put_sizes(&mut self, strings: &[Vec<u8>], count: u32, size: u32) -> Result {
        let total: usize = strings.iter().map(|string| string.len() + 1).sum();
        let total = u32::try_from(total).map_err(|_| Errno::OVERFLOW)?;
        self.guest.put_u32(count, strings.len() as u32)?;
        self.guest.put_u32(size, total)
    }

    pub(crate) fn clock_res_get(&mut self, clock: u32, to: u32) -> Result {
        let resolution = nanoseconds(clock_getres(Clock::of(clock)?.id()));
        self.guest.put_u64(to, resolution)
    }

    pub(crate) fn clock_time_get(&mut self, clock: u32, _precision: u64, to: u32) -> Result {
        let now = now(Clock::of(clock)?);
        self.guest.put_u64(to, now)
    }

    pub(crate) fn proc_exit(&mut self, code: u32) -> Result {
        Err(Stop::Exit(code as i32))
    }

    /// A guest's signals would be the host's.
    pub(crate) fn proc_raise(&mut self, _signal: u32) -> Result {
        Err(Errno::NOTSUP.into())
    }

    pub(crate) fn random_get(&mut self, to: u32, len: u32) -> Result {
        let to = self.guest.piece(to, len as usize, 1)?;
        let mut bytes = buffer(to.len.min(CHUNK))?;
        let interrupter = Interrupter::current();
        for at in (0..to.len).step_by(CHUNK) {
            if interrupter.stops() {
                return Err(Stop::Interrupted);
            }
            let len = (to.len - at).min(CHUNK);
            getrandom::fill(&mut bytes[..len]).map_err(|_| Errno::IO)?;
            self.guest.write(Piece { at: to.at + at, len }, &bytes[..len]);
        }
        Ok(())
    }

    pub(crate) fn sched_yield(&mut self) -> Result {
        std::thread::yield_now();
        Ok(())
    }
}
