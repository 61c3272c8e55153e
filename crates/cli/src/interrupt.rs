//! Ctrl-C: what was begun is taken back before the program ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM};

static FLAG: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The person has interrupted the program.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted; nothing was written")
    }
}

impl std::error::Error for Interrupted {}

/// Has signals only set a flag from now on.
pub(crate) fn install() {
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // A second one ends the program at once.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&FLAG));
        let _ = signal_hook::flag::register(signal, Arc::clone(&FLAG));
    }
    // Rust ignores it, and then printing into `head` is a panic.
    let always = Arc::new(AtomicBool::new(true));
    let _ = signal_hook::flag::register_conditional_default(SIGPIPE, always);
}

/// Fails if the program was interrupted. Long work asks this between its pieces.
pub(crate) fn check() -> Result<(), Interrupted> {
    if FLAG.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
}
