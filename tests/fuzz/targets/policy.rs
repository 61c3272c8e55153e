//! Any bytes as a policy's file contexts, its substitutions, paths to look up, and a policy module. Errors are fine; panics,
//! hangs and memory beyond what the bytes justify are bugs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sysext::selinux::{Kind, Labels, Policy, module_contexts};

fuzz_target!(|bytes: &[u8]| {
    let _ = module_contexts(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // The text before a form feed is the policy, what comes after it substitutions, then a path.
    let mut parts = text.split('\u{c}');
    let (file_contexts, subs) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let modules = [file_contexts];
    for modules in [&[][..], &modules] {
        let policy = Policy { file_contexts, modules, subs, subs_dist: subs, ..Policy::default() };
        let Ok(mut labels) = Labels::new(&policy) else { return };
        for path in parts.clone().chain(["/usr/lib64/a.so.1", "/", ""]) {
            for kind in Kind::ALL {
                let _ = labels.lookup(path.as_bytes(), kind);
            }
        }
    }
});
