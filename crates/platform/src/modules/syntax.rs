//! stub
#[derive(Debug, Default)]
pub(crate) struct Exports {
    pub(crate) names: Vec<String>,
    pub(crate) reexports: Vec<(u32, String)>,
}
pub(crate) fn exports(_: &str) -> Exports {
    Exports::default()
}
pub(crate) fn is_module(text: &str) -> bool {
    super::loader::has_module_syntax(text)
}
