//! `poll_oneoff`: waiting for clocks and descriptors.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::{SeekFrom, fstat, seek};

use crate::wasi::call::Call;
use crate::wasi::descriptor::{Descriptor, DescriptorKind};
use crate::wasi::errno::{Errno, Result};
use crate::wasi::system::{Clock, now};
use crate::wasi::types::{Version, filetype};
use crate::wasi::wait::{look, sleep, wait};

/// The size of an `event`.
const EVENT: usize = 32;

/// More subscriptions than this are refused.
const MOST: u32 = 1 << 16;

/// `eventrwflags`: the other end has gone.
const HANGUP: u16 = 1;

/// What a guest waits for.
enum Wish {
    Time(Instant),
    /// To read, or else to write.
    Descriptor(Arc<Descriptor>, bool),
    /// It cannot be waited for.
    Wrong(Errno),
}

struct Subscription {
    userdata: [u8; 8],
    eventtype: u8,
    wish: Wish,
}

/// What has happened.
struct Event {
    errno: Option<Errno>,
    bytes: u64,
    flags: u16,
}

impl Call<'_> {
    pub(crate) fn poll_oneoff(&mut self, from: u32, to: u32, count: u32, stored: u32) -> Result {
        if count == 0 || count > MOST {
            return Err(Errno::INVAL.into());
        }
        let size = if self.version == Version::Preview1 { 48 } else { 56 };
        let bytes = self.guest.copy(from, self.guest.piece(from, count as usize, size)?.len)?;
        let to = self.guest.piece(to, count as usize, EVENT)?;
        let stored = self.guest.piece(stored, 1, 4)?;
        let begun = *self.runs.begun;
        let subscriptions = bytes.chunks_exact(size).map(|bytes| self.subscription(bytes, begun)).collect::<Vec<_>>();
        let events = happen(&subscriptions, |output| {
            if output.is_standard {
                self.wasi.before_output();
            }
        })?;
        let mut bytes = Vec::with_capacity(events.len() * EVENT);
        for (subscription, event) in &events {
            let mut one = [0; EVENT];
            one[..8].copy_from_slice(&subscription.userdata);
            one[8..10].copy_from_slice(&event.errno.map_or(0, Errno::code).to_le_bytes());
            one[10] = subscription.eventtype;
            one[16..24].copy_from_slice(&event.bytes.to_le_bytes());
            one[24..26].copy_from_slice(&event.flags.to_le_bytes());
            bytes.extend_from_slice(&one);
        }
        self.guest.write(crate::wasi::guest::Piece { at: to.at, len: bytes.len() }, &bytes);
        self.guest.write(stored, &(events.len() as u32).to_le_bytes());
        Ok(())
    }

    fn subscription(&self, bytes: &[u8], begun: Instant) -> Subscription {
        let u32_at = |at: usize| u32::from_le_bytes(std::array::from_fn(|index| bytes[at + index]));
        let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|index| bytes[at + index]));
        // In the predecessor, a clock has a name before all else.
        let clock = if self.version == Version::Preview1 { 16 } else { 24 };
        let wish = match bytes[8] {
            0 => {
                let (timeout, flags) = (u64_at(clock + 8), bytes[clock + 24]);
                match deadline(u32_at(clock), timeout, flags & 1 != 0, begun) {
                    Ok(Some(time)) => Wish::Time(time),
                    // So far away that it never comes.
                    Ok(None) => Wish::Time(begun + Duration::from_secs(1 << 32)),
                    Err(errno) => Wish::Wrong(errno),
                }
            }
            kind @ (1 | 2) => match self.descriptor(u32_at(16)) {
                Ok(descriptor) if kind == 1 && !descriptor.is_readable => Wish::Wrong(Errno::BADF),
                Ok(descriptor) if kind == 2 && !descriptor.is_writable => Wish::Wrong(Errno::BADF),
                Ok(descriptor) => Wish::Descriptor(descriptor, kind == 1),
                Err(_) => Wish::Wrong(Errno::BADF),
            },
            _ => Wish::Wrong(Errno::INVAL),
        };
        Subscription { userdata: std::array::from_fn(|index| bytes[index]), eventtype: bytes[8], wish }
    }
}

/// When a clock will have reached a time.
fn deadline(
    clock: u32,
    timeout: u64,
    is_absolute: bool,
    begun: Instant,
) -> std::result::Result<Option<Instant>, Errno> {
    let clock = Clock::of(clock)?;
    if !matches!(clock, Clock::Realtime | Clock::Monotonic) {
        // They stand still while the guest waits.
        return Err(Errno::NOTSUP);
    }
    let (from, left) =
        if is_absolute { (Instant::now(), timeout.saturating_sub(now(clock))) } else { (begun, timeout) };
    Ok(from.checked_add(Duration::from_nanos(left)))
}

/// Waits until something happens that is waited for.
fn happen(subscriptions: &[Subscription], before_input: impl Fn(&Descriptor)) -> Result<Vec<(&Subscription, Event)>> {
    let until =
        subscriptions.iter().filter_map(|s| if let Wish::Time(time) = s.wish { Some(time) } else { None }).min();
    let mut waited = Vec::new();
    let mut is_ready = false;
    for (index, subscription) in subscriptions.iter().enumerate() {
        match &subscription.wish {
            Wish::Time(_) => {}
            Wish::Wrong(_) => is_ready = true,
            Wish::Descriptor(descriptor, reads) => match &descriptor.kind {
                DescriptorKind::Host(file) if file.is_stream => {
                    if *reads {
                        before_input(descriptor);
                    }
                    waited.push((index, file.handle.as_fd(), if *reads { PollFlags::IN } else { PollFlags::OUT }));
                }
                _ => is_ready = true,
            },
        }
    }
    let mut seen = vec![PollFlags::empty(); subscriptions.len()];
    if is_ready {
        for &(index, fd, flags) in &waited {
            seen[index] = look(fd, flags)?;
        }
    } else if waited.is_empty() {
        // Sleeping needs no descriptor.
        sleep(until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now())))?;
    } else {
        let wanted: Vec<_> = waited.iter().map(|&(_, fd, flags)| (fd, flags)).collect();
        for (flags, &(index, ..)) in wait(&wanted, until)?.into_iter().zip(&waited) {
            seen[index] = flags;
        }
    }
    let finished = Instant::now();
    let mut events = Vec::new();
    for (subscription, seen) in subscriptions.iter().zip(seen) {
        let event = match &subscription.wish {
            Wish::Time(time) if *time <= finished => Event { errno: None, bytes: 0, flags: 0 },
            Wish::Time(_) => continue,
            Wish::Wrong(errno) => Event { errno: Some(*errno), bytes: 0, flags: 0 },
            Wish::Descriptor(descriptor, reads) => match descriptor_event(descriptor, *reads, seen)? {
                Some(event) => event,
                None => continue,
            },
        };
        events.push((subscription, event));
    }
    Ok(events)
}

/// What is told of a descriptor; `None` if nothing has happened.
fn descriptor_event(descriptor: &Descriptor, reads: bool, seen: PollFlags) -> Result<Option<Event>> {
    let mut event = Event { errno: None, bytes: 0, flags: 0 };
    match &descriptor.kind {
        DescriptorKind::Bytes(input) => {
            let input = input.lock().unwrap_or_else(|e| e.into_inner());
            event.bytes = (input.0.len() - input.1) as u64;
            event.flags = if event.bytes == 0 { HANGUP } else { 0 };
        }
        DescriptorKind::Sink(..) => event.bytes = 1 << 16,
        DescriptorKind::Host(file) if file.is_stream => {
            if seen.is_empty() {
                return Ok(None);
            }
            if seen.contains(PollFlags::NVAL) {
                event.errno = Some(Errno::BADF);
            }
            if seen.intersects(PollFlags::HUP | PollFlags::ERR) {
                event.flags = HANGUP;
            }
            event.bytes = match reads {
                true => rustix::io::ioctl_fionread(&file.handle).unwrap_or(0),
                false => 1,
            };
        }
        DescriptorKind::Host(file) if reads && file.filetype == filetype::REGULAR_FILE => {
            let size = fstat(&file.handle)?.st_size as u64;
            event.bytes = size.saturating_sub(seek(&file.handle, SeekFrom::Current(0)).unwrap_or(0));
        }
        DescriptorKind::Host(_) => event.bytes = 1,
    }
    Ok(Some(event))
}
