//! The native half of `network.js`: addresses, and the names of hosts.

use std::net::{Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};

use agent::EventLoop;
use qjs::array::List;
use rquickjs::{Ctx, Exception, Object};

use crate::internal::strings::UsvString;
use crate::internal::{self, def, errors::granted};

/// The native functions of `network.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "isIP", |text: UsvString| is_ip(&text.0))?;
    def(&native, "lookup", |ctx: Ctx<'js>, id: f64, host: UsvString| -> rquickjs::Result<()> {
        granted(&ctx, |may| may.check_net(&host, None))?;
        let mailbox = EventLoop::of(&ctx)?.mailbox().clone();
        let hold = mailbox.keep_alive();
        let look_up = move || {
            let mut addresses: Vec<String> = Vec::new();
            for address in (&*host.0, 0).to_socket_addrs().into_iter().flatten() {
                let text = address.ip().to_string();
                if !addresses.contains(&text) {
                    addresses.push(text);
                }
            }
            mailbox.post(move |ctx| {
                let _hold = hold;
                internal::function(ctx, "network", "found")?.call((id, List(addresses)))
            });
        };
        match std::thread::Builder::new().name("lookup".into()).stack_size(256 << 10).spawn(look_up) {
            Ok(_) => Ok(()),
            Err(error) => Err(Exception::throw_message(&ctx, &format!("no thread for a look-up: {error}"))),
        }
    })?;
    Ok(native)
}

/// 4, 6, or 0 for what is not an address. An address of IPv6 may name a zone.
fn is_ip(text: &str) -> u8 {
    if text.parse::<Ipv4Addr>().is_ok() {
        return 4;
    }
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    let is_zone = !zone.is_empty() && zone.chars().all(|char| char.is_ascii_alphanumeric() || "-.:".contains(char));
    if is_zone && address.parse::<Ipv6Addr>().is_ok() { 6 } else { 0 }
}
