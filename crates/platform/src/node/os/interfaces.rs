//! The addresses of the network interfaces.

use std::{
    collections::HashMap,
    ffi::CStr,
    net::{Ipv4Addr, Ipv6Addr},
};

use qjs::array::List;
use rquickjs::{Ctx, IntoJs, Value};

/// For each address: the interface's name, the address, its mask, its family, whether it is internal, the interface's
/// hardware address and, for IPv6, the scope. Interfaces that are down have none.
pub(super) fn list<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
    let mut first: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: the call writes the head of a list to the pointer if it succeeds.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return List(Vec::<Value>::new()).into_js(ctx);
    }
    let mut hardware = HashMap::new();
    let mut found = Vec::new();
    let mut next = first;
    // SAFETY: the list's nodes, and what they point to, live until `freeifaddrs`.
    while let Some(node) = unsafe { next.as_ref() } {
        next = node.ifa_next;
        let flags = node.ifa_flags as i32;
        if node.ifa_addr.is_null() || flags & libc::IFF_UP == 0 || flags & libc::IFF_RUNNING == 0 {
            continue;
        }
        // SAFETY: the name is a C string.
        let name = unsafe { CStr::from_ptr(node.ifa_name) }.to_string_lossy().into_owned();
        // SAFETY: the address is not null, see above; every kind of address begins with its family.
        match i32::from(unsafe { (*node.ifa_addr).sa_family }) {
            libc::AF_PACKET => {
                // SAFETY: an address of this family has this type; it may be aligned for less.
                let address = unsafe { node.ifa_addr.cast::<libc::sockaddr_ll>().read_unaligned() };
                let bytes: Vec<String> = address.sll_addr[..6].iter().map(|byte| format!("{byte:02x}")).collect();
                hardware.insert(name, bytes.join(":"));
            }
            family @ (libc::AF_INET | libc::AF_INET6) => {
                let read = |address: *mut libc::sockaddr| -> (String, u32) {
                    if address.is_null() {
                        return (String::new(), 0);
                    }
                    if family == libc::AF_INET {
                        // SAFETY: as above.
                        let address = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
                        (Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)).to_string(), 0)
                    } else {
                        // SAFETY: as above.
                        let address = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
                        (Ipv6Addr::from(address.sin6_addr.s6_addr).to_string(), address.sin6_scope_id)
                    }
                };
                let ((address, scope), (mask, _)) = (read(node.ifa_addr), read(node.ifa_netmask));
                let kind = if family == libc::AF_INET { "IPv4" } else { "IPv6" };
                found.push((name, address, mask, kind, flags & libc::IFF_LOOPBACK != 0, scope));
            }
            _ => {}
        }
    }
    // SAFETY: the list came from `getifaddrs`, and nothing of it is used any more.
    unsafe { libc::freeifaddrs(first) };
    let rows = found.into_iter().map(|(name, address, mask, kind, internal, scope)| {
        let hardware = hardware.get(&name).cloned().unwrap_or_else(|| "00:00:00:00:00:00".into());
        let texts = [name, address, mask, kind.to_owned(), hardware, internal.to_string(), scope.to_string()];
        List(texts)
    });
    List(rows.collect::<Vec<_>>()).into_js(ctx)
}
