//! Servers of an older version: they do not know the newest kinds.

/// Runs `work` as a version does that does not know `kinds`.
pub(super) fn knowing_all_but<T>(kinds: &'static [&'static str], work: impl FnOnce() -> T) -> T {
    #[cfg(feature = "planted")]
    {
        carboy_protocol::planted::set_unknown_kinds(kinds);
        let result = work();
        carboy_protocol::planted::set_unknown_kinds(&[]);
        result
    }
    #[cfg(not(feature = "planted"))]
    {
        debug_assert!(kinds.is_empty(), "this build knows no older versions");
        work()
    }
}
