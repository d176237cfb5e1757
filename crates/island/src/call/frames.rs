//! The references in the frames of a fiber that waits.
//!
//! Wasmtime's collector moves what is referred to, and writes the new places into the frames that it walks: those of
//! whatever is running, and not those of a fiber that waits. So before anything can collect, the references of such
//! frames become roots; and before the fiber goes on, what has become of them is written back. Where they are in the
//! frames, the compiler has noted in stack maps, which Wasmtime reads for the same purpose.

use std::ops::ControlFlow;
use std::ptr::with_exposed_provenance;

use wasmtime::{AnyRef, AsContextMut, ExnRef, OwnedRooted, RootScope, StoreContextMut};
use wasmtime_environ::{HostPtr, PtrSize, VMGcKind};
use wasmtime_unwinder::{UnwindHost, visit_frames};

use crate::engine::module::Module;

/// A store's `VMStoreContext`, in which Wasmtime notes where guests leave for their host.
#[derive(Clone, Copy)]
pub(crate) struct VmStoreContext(*const u8);

impl VmStoreContext {
    /// The context of the store that an instance with this `VMContext` belongs to.
    ///
    /// # Safety
    /// It must be that of a live instance of a module. The result may be used as long as its store lives.
    pub(crate) unsafe fn of(instance: *const u8) -> Self {
        // SAFETY: Wasmtime's own crate tells the offset, at which there is a pointer that never changes.
        Self(unsafe { instance.byte_add(HostPtr.vmctx_store_context().into()).cast::<*const u8>().read() })
    }

    fn word(self, offset: u8) -> usize {
        // SAFETY: as above; the store lives, and its thread is this one.
        unsafe { self.0.byte_add(offset.into()).cast::<usize>().read() }
    }

    /// What a reference refers to in Wasmtime's heap.
    fn kind_of(self, reference: u32) -> VMGcKind {
        let heap = with_exposed_provenance::<u8>(self.word(HostPtr.vm_store_context().gc_heap_base()));
        // SAFETY: a reference that a guest has is the offset of an object, which begins with its kind.
        VMGcKind::from_high_bits_of_u32(unsafe { heap.byte_add(reference as usize).cast::<u32>().read_unaligned() })
    }
}

/// Where a guest has left for its host, and where its frames end.
#[derive(Clone, Copy, Default)]
pub(crate) struct Exit {
    pc: usize,
    fp: usize,
    entry_fp: usize,
}

impl Exit {
    /// Where the innermost guest of the store has left for the host function that asks.
    pub(crate) fn now(context: VmStoreContext) -> Self {
        let fields = HostPtr.vm_store_context();
        let trampoline = with_exposed_provenance::<usize>(context.word(fields.last_wasm_exit_trampoline_fp()));
        // SAFETY: below a host function that a guest has called, this is the frame of the trampoline in between, which
        // begins with the guest's own frame pointer.
        let fp = unsafe { trampoline.read() };
        Self { pc: context.word(fields.last_wasm_exit_pc()), fp, entry_fp: context.word(fields.last_wasm_entry_fp()) }
    }
}

/// A reference of a frame, kept by a root.
pub(crate) struct Saved {
    slot: *mut u32,
    root: SavedRoot,
}

enum SavedRoot {
    Any(OwnedRooted<AnyRef>),
    Exception(OwnedRooted<ExnRef>),
}

/// Makes roots of the references in the frames of a guest.
///
/// # Safety
/// The guest must still be where it left for its host, and `modules` must have those of all frames with references.
pub(crate) unsafe fn save<T: 'static>(
    store: StoreContextMut<'_, T>,
    context: VmStoreContext,
    exit: Exit,
    modules: &[Module],
) -> Vec<Saved> {
    const ROOM: &str = "there is memory for a root";
    let mut scope = RootScope::new(store);
    let mut saved = Vec::new();
    let visit = |frame: wasmtime_unwinder::Frame| {
        let Some(map) = modules.iter().find_map(|module| module.stack_map(frame.pc())) else {
            return ControlFlow::<()>::Continue(());
        };
        // SAFETY: the frame is that of the code that the map is for.
        let slots = unsafe { map.live_gc_refs(map.sp(std::ptr::with_exposed_provenance_mut(frame.fp()))) };
        for slot in slots {
            // SAFETY: the slot is in a frame of the guest, which waits.
            let reference = unsafe { slot.read() };
            // Null, or a number of 31 bits, which is no place.
            if reference == 0 || reference & 1 == 1 {
                continue;
            }
            let root = match context.kind_of(reference).matches(VMGcKind::ExnRef) {
                true => ExnRef::from_raw(&mut scope, reference)
                    .map(|root| SavedRoot::Exception(root.to_owned_rooted(&mut scope).expect(ROOM))),
                false => AnyRef::from_raw(&mut scope, reference)
                    .map(|root| SavedRoot::Any(root.to_owned_rooted(&mut scope).expect(ROOM))),
            };
            saved.extend(root.map(|root| Saved { slot, root }));
        }
        ControlFlow::Continue(())
    };
    // SAFETY: by the caller's promise; Wasmtime walks the same frames in the same way.
    let _ = unsafe { visit_frames(&UnwindHost, exit.pc, exit.fp, exit.entry_fp, visit) };
    saved
}

/// Writes references back into the frames that they are from.
///
/// # Safety
/// The frames must still be there, and nothing may allocate in the store before their guest goes on.
pub(crate) unsafe fn restore<T: 'static>(mut store: StoreContextMut<'_, T>, saved: Vec<Saved>) {
    const ROOTED: &str = "it is a root of this store";
    for Saved { slot, root } in saved {
        let reference = match root {
            SavedRoot::Any(root) => root.to_raw(store.as_context_mut()).expect(ROOTED),
            SavedRoot::Exception(root) => root.to_raw(store.as_context_mut()).expect(ROOTED),
        };
        // SAFETY: by the caller's promise.
        unsafe { slot.write(reference) };
    }
}
