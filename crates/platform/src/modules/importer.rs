//! Who imports what is not there: the engine names the module that lacks an export, but not the one that asks for it.

use std::collections::HashSet;

use oxc_span::{SourceType, Span};
use oxc_syntax::module_record::{ExportImportName, ImportImportName};
use rquickjs::Ctx;

use super::loader::Format;
use super::resolve::{permissions_of, resolve};
use super::syntax::{self, parsed};
use super::{text_of, url_to_path};
use crate::internal::state::Platform;

/// Where a module asks another for a name.
pub(crate) struct Importer {
    pub(crate) url: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) length: usize,
    /// What it calls the other module.
    pub(crate) specifier: String,
    /// Whether the other is a CommonJS module.
    pub(crate) is_common_js: bool,
}

/// A request that the text of a module makes.
struct Request {
    specifier: String,
    /// The name that is asked for.
    name: Option<String>,
    span: Span,
}

/// Looks for a module that imports `name` from the module `url`, from the program's main module on.
pub(crate) fn importer_of(ctx: &Ctx<'_>, name: &str, url: &str) -> Option<Importer> {
    /// More modules than these are not looked at: this only makes a message better.
    const MOST: usize = 2000;
    let main = Platform::of(ctx).ok()?.main_url.borrow().clone();
    let mut seen = HashSet::from([main.clone()]);
    let mut waiting = vec![main];
    while let Some(module) = waiting.pop() {
        let Some((text, requests)) = requests(ctx, &module) else { continue };
        for request in requests {
            let Ok(target) = resolve(ctx, &request.specifier, &module, true) else { continue };
            if target == url && request.name.as_deref() == Some(name) {
                let (line, column) = place(&text, request.span.start as usize);
                let length = text[request.span.start as usize..request.span.end as usize].chars().count();
                let (specifier, is_common_js) = (request.specifier, is_common_js(ctx, url));
                return Some(Importer { url: module, line, column, length, specifier, is_common_js });
            }
            if target.starts_with("file:") && seen.len() < MOST && seen.insert(target.clone()) {
                waiting.push(target);
            }
        }
    }
    None
}

/// The line and the column of a byte of a text, from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[start..].encode_utf16().count() + 1)
}

/// The text of a module, and what it asks other modules for.
fn requests(ctx: &Ctx<'_>, url: &str) -> Option<(String, Vec<Request>)> {
    let code = Platform::of(ctx).ok()?.code.borrow().clone();
    let text = match code {
        Some((name, text)) if name == url => text,
        _ => text_of(&permissions_of(ctx).read_module(&url_to_path(url)?).ok()?).into_owned(),
    };
    let is_typed = url_to_path(url).is_some_and(|path| Format::is_typed(&path));
    let source_type = if is_typed { SourceType::ts() } else { SourceType::mjs() };
    let requests = parsed(&text, source_type, |text, parsed| {
        let record = &parsed.module_record;
        let mut found = Vec::new();
        for entry in record.import_entries.iter().filter(|entry| !entry.is_type) {
            let (name, span) = match &entry.import_name {
                ImportImportName::Name(name) => (Some(name.name.to_string()), name.span),
                ImportImportName::Default(span) => (Some("default".to_owned()), *span),
                ImportImportName::NamespaceObject => (None, entry.module_request.span),
            };
            found.push(Request { specifier: entry.module_request.name.to_string(), name, span });
        }
        for entry in record.indirect_export_entries.iter().filter(|entry| !entry.is_type) {
            let Some(from) = &entry.module_request else { continue };
            let (name, span) = match &entry.import_name {
                ExportImportName::Name(name) => (Some(name.name.to_string()), name.span),
                _ => (None, from.span),
            };
            found.push(Request { specifier: from.name.to_string(), name, span });
        }
        for (specifier, spans) in record.requested_modules.iter() {
            let span = spans.first().map_or(Span::new(0, 0), |request| request.span);
            found.push(Request { specifier: specifier.to_string(), name: None, span });
        }
        for import in record.dynamic_imports.iter() {
            let span = import.module_request;
            let literal = text[span.start as usize..span.end as usize].trim();
            let specifier = literal.trim_matches(['\'', '"', '`']).to_owned();
            found.push(Request { specifier, name: None, span });
        }
        found
    })?;
    Some((text, requests))
}

/// Whether a module, which has been loaded, is CommonJS.
fn is_common_js(ctx: &Ctx<'_>, url: &str) -> bool {
    let Some(path) = url_to_path(url) else { return false };
    let Ok(bytes) = permissions_of(ctx).read_module(&path) else { return false };
    let text = text_of(&bytes);
    let is_json_or_wasm = path.extension().is_some_and(|extension| extension == "json" || extension == "wasm");
    !is_json_or_wasm
        && match Format::is_typed(&path) {
            true => !syntax::looks_like_module(&text),
            false => matches!(Format::of(ctx, &path, &text), Ok(Format::CommonJs)),
        }
}
