//! Tags, and what stands for them in islands.
//!
//! A tag is an identity and a type. Unlike a table or a mutable global it has no state, so one tag can stand in any
//! number of islands, by a tag of each island's store.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use island::wasmtime::{AsContextMut, FuncType, Tag, TagType};
use qjs::{HostClass, Mark, WeakObject};

use crate::runtime::island_realm::IslandRealm;

/// A tag, wherever it is known.
pub(crate) struct TagCore {
    ty: FuncType,
    /// The Tag object cache.
    pub(crate) object: RefCell<Option<WeakObject>>,
}

impl TagCore {
    pub(crate) fn new(ty: FuncType) -> Rc<Self> {
        Rc::new(Self { ty, object: RefCell::default() })
    }

    /// The tag's type: parameters alone.
    pub(crate) fn ty(&self) -> &FuncType {
        &self.ty
    }
}

/// What stands for tags in an island's store.
#[derive(Default)]
pub(crate) struct Tags {
    local: HashMap<*const TagCore, Tag>,
    cores: HashMap<u64, Rc<TagCore>>,
}

impl IslandRealm {
    /// Whether a guest of the island may know the tag.
    pub(crate) fn knows_tag(&self, core: &Rc<TagCore>) -> bool {
        self.tags.borrow().local.contains_key(&Rc::as_ptr(core))
    }

    /// The island's tag for `core`.
    pub(crate) fn local_tag(&self, core: &Rc<TagCore>) -> island::wasmtime::Result<Tag> {
        if let Some(tag) = self.tags.borrow().local.get(&Rc::as_ptr(core)) {
            return Ok(*tag);
        }
        let tag = self.island.enter(|store| Tag::new(store, &TagType::new(core.ty.clone())))?;
        self.remember_tag(tag, core);
        Ok(tag)
    }

    /// The tag behind a tag of the island's store.
    pub(crate) fn tag_core(&self, tag: Tag) -> Rc<TagCore> {
        if let Some(core) = self.tags.borrow().cores.get(&tag.debug_index_in_store()) {
            return core.clone();
        }
        let ty = self.island.enter(|mut store| tag.ty(store.as_context_mut()));
        let core = TagCore::new(ty.ty().clone());
        self.remember_tag(tag, &core);
        core
    }

    fn remember_tag(&self, tag: Tag, core: &Rc<TagCore>) {
        let mut tags = self.tags.borrow_mut();
        tags.local.insert(Rc::as_ptr(core), tag);
        tags.cores.insert(tag.debug_index_in_store(), core.clone());
    }
}

/// A Tag object's value.
#[derive(HostClass, Mark)]
#[host_class(name = "WebAssembly.Tag")]
#[mark(skip)]
pub(crate) struct TagObject {
    pub(crate) core: Rc<TagCore>,
}

impl TagObject {
    /// The tag.
    pub(crate) fn core(&self) -> &Rc<TagCore> {
        &self.core
    }
}
